"""What is in a message comes out as it went in."""

import uuid

from proton import (
    Array, Data, Delivery, Described, Message, byte, char, decimal32, decimal64, decimal128, float32, int32, short,
    symbol, timestamp, ubyte, uint, ulong, ushort)
from proton.reactor import AtMostOnce
from proton.utils import LinkDetached

from interop_harness import expect, expect_equal, unique
from proton_session import Inbox, accept, annotations, queue_address, using

MIB = 1024 * 1024

SIMPLE = {
    "null": None, "true": True, "false": False,
    "ubyte": ubyte(255), "ushort": ushort(65535), "uint0": uint(0), "uint-small": uint(255), "uint": uint(2 ** 32 - 1),
    "ulong0": ulong(0), "ulong-small": ulong(255), "ulong": ulong(2 ** 64 - 1),
    "byte": byte(-128), "short": short(-32768), "int-small": int32(-1), "int": int32(-2 ** 31), "long-small": -1,
    "long": -2 ** 63, "float": float32(0.5), "double": 0.1, "decimal32": decimal32(1), "decimal64": decimal64(1),
    "decimal128": decimal128(b"0123456789abcdef"), "char": char("\U0001F600"), "timestamp": timestamp(1700000000123),
    "uuid": uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"), "binary": b"\x00\xff", "binary-empty": b"",
    "string": "grüße \U0001F600", "string-empty": "", "string-long": "x" * 300, "symbol": symbol("a.symbol"),
}

COMPOUND = {
    "list": [1, "two", [3.0, None]], "list-empty": [], "list-long": list(range(300)),
    "map": {"key": [uint(1), {"inner": symbol("x")}]}, "map-empty": {},
    "array-of-int": Array(None, Data.INT, 1, 2, 3),
    "array-of-string": Array(None, Data.STRING, "a", "b"),
    "described": Described(symbol("some:descriptor:list"), ["of", "things"]),
    "described-by-number": Described(ulong(0x468C00000004), "text"),
}


def as_decoded(message):
    """The message as Proton itself reads it back, which is what the other end should read."""
    again = Message()
    again.decode(message.encode())
    return again


def through_the_broker(session, *messages, kind=None):
    queue = session.queue(kind=kind)
    sender = session.sender(queue_address(queue))
    for message in messages:
        expect_equal(sender.send(message).remote_state, Delivery.ACCEPTED, "outcome")
    receiver = session.receiver(queue_address(queue), credit=len(messages))
    return [message for message, _ in receiver.take(len(messages))]


def expect_same(actual, expected, what):
    """By their representation, which tells a short from an int."""
    expect_equal(repr(actual), repr(expected), what)


@using("round-trip-properties")
def round_trip_properties(session):
    sent = Message(
        id="message-id", user_id=session.user.encode(), address="/some/where", subject="subject", reply_to="/queues/replies",
        correlation_id="correlation-id", content_type=symbol("text/plain"), content_encoding=symbol("gzip"),
        expiry_time=4102444800, creation_time=1700000000.5, group_id="group", group_sequence=7,
        reply_to_group_id="reply-group", body="x")
    received, = through_the_broker(session, sent)
    expected = as_decoded(sent)
    for name in ("id", "user_id", "address", "subject", "reply_to", "correlation_id", "content_type", "content_encoding",
                 "expiry_time", "creation_time", "group_id", "group_sequence", "reply_to_group_id", "body"):
        expect_same(getattr(received, name), getattr(expected, name), name)


@using("round-trip-message-ids")
def round_trip_message_ids(session):
    identifiers = ["text", b"bytes", 2 ** 63, 1, uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")]
    received = through_the_broker(session, *[Message(id=value, correlation_id=value, body="x") for value in identifiers])
    expect_same([(message.id, message.correlation_id) for message in received], [(value, value) for value in identifiers], "ids")


@using("round-trip-header")
def round_trip_header(session):
    sent = Message(durable=True, priority=7, ttl=60, body="x")
    received, = through_the_broker(session, sent)
    expect_equal((received.durable, received.priority), (True, 7), "durable and priority")
    expect(0 < received.ttl <= 60, "ttl of at most 60 s, got {}".format(received.ttl))
    expect_equal((received.first_acquirer, received.delivery_count), (True, 0), "first acquirer and delivery count")
    received, = through_the_broker(session, Message(body="x"))
    expect_equal((received.durable, received.priority, received.ttl), (False, 4, 0), "durable, priority and ttl when not set")


@using("round-trip-application-properties")
def round_trip_application_properties(session):
    sent = Message(properties=SIMPLE, body="x")
    received, = through_the_broker(session, sent)
    expected = as_decoded(sent).properties
    for key in SIMPLE:
        expect_same(received.properties.get(key), expected[key], key)
    expect_equal(len(received.properties), len(expected), "number of properties")


@using("round-trip-annotations")
def round_trip_annotations(session):
    values = {"x-opt-" + key: value for key, value in {**SIMPLE, **COMPOUND}.items()}
    sent = Message(annotations=values, body="x")
    received, = through_the_broker(session, sent)
    expected = as_decoded(sent).annotations
    for key in expected:
        expect_same(annotations(received).get(key), expected[key], key)


@using("round-trip-bodies")
def round_trip_bodies(session):
    bodies = [*SIMPLE.values(), *COMPOUND.values(), ulong(1), Described(symbol("outer"), Described(symbol("inner"), 1))]
    # Without a body Proton writes no body section: see body-absent.
    sent = [Message(body=body) for body in bodies if body is not None]
    received = through_the_broker(session, *sent)
    for message, expected in zip(received, sent):
        expect_same(message.body, as_decoded(expected).body, "an amqp-value")
        expect_equal(message.inferred, False, "an amqp-value is not a data section")


@using("body-absent")
def body_absent(session):
    """1.0 part 3, section 3.2 wants a body section, but this is what Proton sends for a message without one."""
    sent = Message(subject="no body")
    received, = through_the_broker(session, sent)
    expect_equal((received.subject, received.body), ("no body", None), "subject and body")


@using("round-trip-data-and-sequence")
def round_trip_data_and_sequence(session):
    sent = [Message(body=body, inferred=True) for body in (b"", b"bytes", b"\x00" * 100000, [1, "two", None], [])]
    for message, expected in zip(through_the_broker(session, *sent), sent):
        expect_same(message.body, as_decoded(expected).body, "body")
        expect_equal(message.inferred, True, "a section of data or of a sequence")


@using("round-trip-through-quorum-queue")
def round_trip_through_quorum_queue(session):
    sent = Message(properties=SIMPLE, body={"a": [1, 2]}, durable=True, subject="s")
    received, = through_the_broker(session, sent, kind="quorum")
    expect_same(received.body, sent.body, "body")
    expect_same(received.properties["uuid"], SIMPLE["uuid"], "a property")
    expect_equal(received.subject, "s", "subject")


@using("presettled-both-ways")
def presettled_both_ways(session):
    queue = session.queue()
    sender = session.sender(queue_address(queue), options=AtMostOnce())
    for number in range(10):
        sender.link.send(Message(body=number))
    session.expect_ready(queue, 10)
    receiver = session.receiver(queue_address(queue), credit=10, options=AtMostOnce())
    taken = receiver.take(10)
    expect_equal([message.body for message, _ in taken], list(range(10)), "bodies")
    expect(all(delivery.settled for _, delivery in taken), "deliveries are settled by the broker")
    receiver.close()
    session.expect_ready(queue, 0)


@using("large-message-small-frames", max_frame_size=4096)
def large_message_small_frames(session):
    body = bytes(range(256)) * (3 * MIB // 256)
    received, = through_the_broker(session, Message(body=body, inferred=True, durable=True))
    expect(received.body == body, "3 MiB unchanged")


@using("large-message-in-pieces", max_frame_size=4096)
def large_message_in_pieces(session):
    """Each piece leaves in a transfer of its own, with more set."""
    queue = session.queue()
    sender = session.sender(queue_address(queue))
    encoded = Message(body=bytes(3 * MIB), inferred=True).encode()
    sender.connection.wait(lambda: sender.link.credit, msg="credit")
    delivery = sender.link.delivery("pieces")
    for start in range(0, len(encoded), 3000):
        sender.link.stream(encoded[start:start + 3000])
        if start % 300 == 0:
            session.flush()
    sender.link.advance()
    sender.connection.wait(lambda: delivery.settled, msg="the outcome")
    expect_equal(delivery.remote_state, Delivery.ACCEPTED, "outcome")
    message, delivery = session.receiver(queue_address(queue)).receive()
    expect(message.body == bytes(3 * MIB), "3 MiB unchanged")
    accept(delivery)
    session.expect_ready(queue, 0)


@using("larger-than-allowed-detaches")
def larger_than_allowed_detaches(session):
    """1.0 part 2, section 2.7.3: max-message-size in attach, and amqp:link:message-size-exceeded for what is larger."""
    queue = session.queue()
    sender = session.sender(queue_address(queue))
    largest = sender.link.remote_max_message_size
    if not largest or largest > 32 * MIB:
        return
    try:
        sender.send(Message(body=bytes(largest), inferred=True))
    except LinkDetached as error:
        expect_equal(error.condition, "amqp:link:message-size-exceeded", "condition")
    else:
        raise AssertionError("the broker took a message that is larger than max-message-size")
    # The session goes on.
    session.fill(queue, "x")
    session.expect_ready(queue, 1)


@using("larger-than-the-receiver-takes")
def larger_than_the_receiver_takes(session):
    """The receiver's max-message-size holds as well; the message stays for somebody who takes it."""
    queue = session.queue()
    session.fill(queue, "x" * 5000)
    inbox = Inbox()
    link = session.connection.container.create_receiver(
        session.connection.conn, queue_address(queue), name=unique("link"), handler=inbox)
    link.max_message_size = 1000
    link.flow(1)
    session.connection.wait(lambda: inbox.closed_with, msg="detach")
    expect_equal(inbox.closed_with.name, "amqp:link:message-size-exceeded", "condition")
    expect_equal(inbox.received, [], "messages")
    session.expect_ready(queue, 1)


@using("aborted-message-is-forgotten")
def aborted_message_is_forgotten(session):
    """1.0 part 2, section 2.7.5: an aborted delivery is discarded, and its link goes on."""
    queue = session.queue()
    sender = session.sender(queue_address(queue))
    sender.connection.wait(lambda: sender.link.credit, msg="credit")
    delivery = sender.link.delivery("aborted")
    sender.link.stream(Message(body="y" * 100000).encode()[:50000])
    session.flush()
    delivery.abort()
    expect_equal(sender.send(Message(body="next")).remote_state, Delivery.ACCEPTED, "outcome of the next message")
    session.expect_ready(queue, 1)
    message, _ = session.receiver(queue_address(queue)).receive()
    expect_equal(message.body, "next", "body")


@using("expires-by-ttl")
def expires_by_ttl(session):
    queue, graveyard = session.queue_with_graveyard()
    session.sender(queue_address(queue)).send(Message(ttl=0.05, body="x", durable=True))
    properties, _ = session.get(graveyard)
    expect_equal(properties.headers["x-death"][0]["reason"], "expired", "reason")
