"""pika on one side of a message and Proton on the other."""

import datetime
import uuid

import pika
from proton import Array, Data, Delivery, Described, Message, float32, int32, short, symbol, timestamp, ubyte, uint, ulong

from interop_harness import expect, expect_equal
from proton_session import accept, annotations, exchange_address, queue_address, using


def to_proton(session, properties, body=b"x"):
    """Published by pika, received by Proton."""
    queue = session.queue()
    session.channel.basic_publish("", queue, body, properties)
    message, delivery = session.receiver(queue_address(queue)).receive()
    accept(delivery)
    return message


def to_pika(session, message):
    """Sent by Proton, received by pika."""
    queue = session.queue()
    session.sender(queue_address(queue)).send(message)
    return session.get(queue)


@using("from-pika-properties")
def from_pika_properties(session):
    """Behaviour note 113."""
    message = to_proton(session, pika.BasicProperties(
        content_type="text/plain", content_encoding="utf-8", delivery_mode=2, priority=3, correlation_id="correlation",
        reply_to="replies", expiration="60000", message_id="message", timestamp=1700000000, type="kind",
        user_id=session.user, app_id="application"), b"body")
    expect_equal((message.body, message.inferred), (b"body", True), "body in a data section")
    expect_equal((message.content_type, message.content_encoding), (symbol("text/plain"), symbol("utf-8")), "content")
    expect_equal((message.durable, message.priority), (True, 3), "header")
    expect(0 < message.ttl <= 60, "what is left of 60 s, got {}".format(message.ttl))
    expect_equal((message.id, message.correlation_id), ("message", "correlation"), "ids")
    expect_equal(message.reply_to, "/queues/replies", "reply-to")
    expect_equal(message.creation_time, 1700000000, "creation-time in seconds")
    expect_equal((message.group_id, message.user_id), ("application", session.user.encode()), "group-id and user-id")
    expect_equal(annotations(message).get("x-basic-type"), "kind", "x-basic-type")
    expect_equal(annotations(message).get("x-exchange"), "", "x-exchange")


@using("from-pika-bare")
def from_pika_bare(session):
    """No property at all: nothing is invented."""
    message = to_proton(session, None, b"")
    expect_equal((message.body, message.inferred), (b"", True), "an empty data section")
    expect_equal((message.durable, message.ttl), (False, 0), "header")
    expect_equal((message.id, message.correlation_id, message.subject, message.reply_to), (None, None, None, None), "properties")
    expect_equal(message.properties or {}, {}, "application-properties")


@using("from-pika-headers")
def from_pika_headers(session):
    moment = datetime.datetime(2023, 11, 14, 22, 13, 20)
    message = to_proton(session, pika.BasicProperties(headers={
        "string": "grüße", "int": 7, "long": 2 ** 40, "negative": -1, "bool": True, "none": None, "time": moment,
        "x-mine": "annotated", "x-count": 3,
        "table": {"inner": 1}, "list": [1, 2]}))
    properties = message.properties
    expect_equal(
        {key: properties.get(key) for key in ("string", "int", "long", "negative", "bool", "time")},
        {"string": "grüße", "int": 7, "long": 2 ** 40, "negative": -1, "bool": True, "time": 1700000000000},
        "application-properties")
    expect_equal(type(properties["time"]), timestamp, "type of a time")
    expect("table" not in properties and "list" not in properties, "tables and lists are no application-properties")
    expect_equal((annotations(message).get("x-mine"), annotations(message).get("x-count")), ("annotated", 3), "annotations")


@using("from-pika-uuids")
def from_pika_uuids(session):
    identifier = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
    message = to_proton(session, pika.BasicProperties(message_id=identifier.urn, correlation_id=identifier.urn))
    expect_equal((message.id, message.correlation_id), (identifier, identifier), "ids")


@using("from-pika-through-exchange")
def from_pika_through_exchange(session):
    exchange = session.exchange("topic")
    queue = session.bound_queue(exchange, "a.#")
    session.channel.basic_publish(exchange, "a.b.c", b"x", pika.BasicProperties(headers={"CC": ["a.cc"]}))
    message, _ = session.receiver(queue_address(queue)).receive()
    expect_equal(
        (annotations(message).get("x-exchange"), annotations(message).get("x-routing-key")), (exchange, "a.b.c"), "exchange and key")
    expect_equal(annotations(message).get("x-cc"), ["a.cc"], "x-cc")


@using("from-pika-redelivered")
def from_pika_redelivered(session):
    """What pika returned to the queue is not acquired for the first time."""
    queue = session.queue()
    session.channel.basic_publish("", queue, b"x")
    method, _, _ = session.channel.basic_get(queue)
    session.channel.basic_reject(method.delivery_tag, requeue=True)
    message, _ = session.receiver(queue_address(queue)).receive()
    expect_equal(message.first_acquirer, False, "first-acquirer")


@using("from-pika-large")
def from_pika_large(session):
    body = bytes(range(256)) * 8192
    expect(to_proton(session, None, body).body == body, "2 MiB unchanged")


@using("from-pika-dead-letter")
def from_pika_dead_letter(session):
    queue, graveyard = session.queue_with_graveyard()
    session.channel.basic_publish("", queue, b"x")
    method, _, _ = session.channel.basic_get(queue)
    session.channel.basic_reject(method.delivery_tag, requeue=False)
    message, _ = session.receiver(queue_address(graveyard)).receive()
    expect_equal(annotations(message).get("x-first-death-reason"), "rejected", "x-first-death-reason")
    expect_equal(annotations(message).get("x-first-death-queue"), queue, "x-first-death-queue")
    expect_equal(annotations(message).get("x-first-death-exchange"), "", "x-first-death-exchange")


@using("to-pika-properties")
def to_pika_properties(session):
    properties, body = to_pika(session, Message(
        body=b"body", inferred=True, durable=True, priority=3, ttl=60, id="message", correlation_id="correlation",
        reply_to="/queues/replies", content_type=symbol("text/plain"), content_encoding=symbol("utf-8"),
        creation_time=1700000000.7, group_id="application", user_id=session.user.encode(), subject="subject"))
    expect_equal(body, b"body", "body")
    expect_equal((properties.content_type, properties.content_encoding), ("text/plain", "utf-8"), "content")
    expect_equal((properties.delivery_mode, properties.priority, properties.expiration), (2, 3, "60000"), "header")
    expect_equal((properties.message_id, properties.correlation_id), ("message", "correlation"), "ids")
    expect_equal(properties.timestamp, 1700000000, "timestamp")
    expect_equal((properties.app_id, properties.user_id), ("application", session.user), "app-id and user-id")
    expect_equal(properties.reply_to, "replies", "reply-to")


@using("to-pika-durability")
def to_pika_durability(session):
    """Behaviour note 113: without a header section, or without durable in it, a message is transient."""
    properties, _ = to_pika(session, Message(body=b"x", inferred=True))
    expect(properties.delivery_mode in (None, 1), "transient, got {}".format(properties.delivery_mode))
    properties, _ = to_pika(session, Message(body=b"x", inferred=True, durable=True))
    expect_equal(properties.delivery_mode, 2, "delivery mode")


@using("to-pika-application-properties")
def to_pika_application_properties(session):
    """Values that pika can read: it takes signed octets for unsigned ones and these for those, and makes integers of doubles."""
    properties, _ = to_pika(session, Message(body=b"x", inferred=True, properties={
        "string": "grüße", "true": True, "null": None, "long": 2 ** 40, "int": int32(-7), "short": short(-8),
        "ubyte": ubyte(100), "uint": uint(2 ** 31), "ulong": ulong(9), "double": 2.0, "float": float32(4),
        "time": timestamp(1700000000000), "bytes": b"\x01\xff", "symbol": symbol("sym")}))
    headers = properties.headers
    for key, expected in (
            ("string", "grüße"), ("true", True), ("long", 2 ** 40), ("int", -7), ("short", -8), ("ubyte", 100),
            ("uint", 2 ** 31), ("ulong", 9), ("double", 2), ("float", 4), ("symbol", "sym")):
        expect_equal(headers.get(key), expected, key)
    expect_equal(headers.get("time"), datetime.datetime.fromtimestamp(1700000000, datetime.timezone.utc).replace(tzinfo=None), "time")


@using("to-pika-annotations")
def to_pika_annotations(session):
    properties, _ = to_pika(session, Message(body=b"x", inferred=True, annotations={
        "x-mine": "annotated", "x-list": [1, "two"], "x-basic-type": "kind"}))
    expect_equal(properties.headers.get("x-mine"), "annotated", "an annotation")
    expect_equal(properties.headers.get("x-list"), [1, "two"], "an annotation that is a list")
    expect_equal(properties.type, "kind", "type")


@using("to-pika-identifiers")
def to_pika_identifiers(session):
    identifier = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
    for value, expected in ((identifier, identifier.urn), (ulong(7), "7"), ("text", "text")):
        properties, _ = to_pika(session, Message(body=b"x", inferred=True, id=value, correlation_id=value))
        expect_equal((properties.message_id, properties.correlation_id), (expected, expected), "ids")


@using("to-pika-other-bodies")
def to_pika_other_bodies(session):
    """Behaviour note 113: what is no data section is sent on as it is encoded, and says so in type."""
    for body in ("text", {"key": [1, 2]}, 7):
        sent = Message(body=body)
        properties, payload = to_pika(session, sent)
        expect_equal(properties.type, "amqp-1.0", "type")
        received = Message()
        received.decode(payload)
        expect_equal(repr(received.body), repr(body), "body")
    properties, payload = to_pika(session, Message(body=[1, "two"], inferred=True))
    received = Message()
    received.decode(payload)
    expect_equal((properties.type, received.body), ("amqp-1.0", [1, "two"]), "a sequence")


@using("to-pika-large", max_frame_size=4096)
def to_pika_large(session):
    body = bytes(range(256)) * 8192
    expect(to_pika(session, Message(body=body, inferred=True))[1] == body, "2 MiB unchanged")


@using("to-pika-through-exchange")
def to_pika_through_exchange(session):
    exchange = session.exchange("headers")
    queue = session.queue()
    session.channel.queue_bind(queue, exchange, "", {"x-match": "all", "colour": "green"})
    sender = session.sender(exchange_address(exchange))
    sender.send(Message(body=b"green", inferred=True, properties={"colour": "green"}))
    expect_equal(session.get(queue)[1], b"green", "body")
    red = sender.send(Message(body=b"red", inferred=True, properties={"colour": "red"}), error_states=[])
    expect_equal(red.remote_state, Delivery.RELEASED, "outcome of a message that matches no binding")


@using("to-pika-and-back")
def to_pika_and_back(session):
    """pika sends on what it got, as a shovel would: the bodies and the simple properties survive."""
    there, back = session.queue(), session.queue()
    session.sender(queue_address(there)).send(Message(
        body=b"x", inferred=True, durable=True, id="message", content_type=symbol("text/plain"),
        properties={"key": "value", "number": 7}, annotations={"x-mine": "annotated"}))
    properties, body = session.get(there)
    session.channel.basic_publish("", back, body, properties)
    message, _ = session.receiver(queue_address(back)).receive()
    expect_equal((message.body, message.inferred, message.durable), (b"x", True, True), "body and durability")
    expect_equal((message.id, message.content_type), ("message", symbol("text/plain")), "properties")
    expect_equal((message.properties["key"], message.properties["number"]), ("value", 7), "application-properties")
    expect_equal(annotations(message).get("x-mine"), "annotated", "annotation")


@using("consumers-of-both-protocols")
def consumers_of_both_protocols(session):
    """One queue, a consumer of each kind: each message goes to one of them."""
    queue = session.queue()
    got = []
    session.channel.basic_qos(prefetch_count=5)
    session.channel.basic_consume(queue, lambda channel, method, properties, body: got.append(body))
    receiver = session.receiver(queue_address(queue), credit=5)
    session.fill(queue, *range(10))
    receiver.wait_for(lambda: session.admin.process_data_events(0) or len(got) + len(receiver.messages) == 10, "ten messages")
    expect_equal((len(got), len(receiver.messages)), (5, 5), "messages of each")
