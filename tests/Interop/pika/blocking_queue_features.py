"""What queues do with messages besides keeping them: expiry, dead letters, limits, priorities. On pika's BlockingConnection."""

import contextlib
import datetime

import pika
from pika import exceptions

from blocking_scenarios import Collector, Session, channel_error, exists
from interop_harness import expect, expect_equal, scenario, unique

DEATH_FIELDS = {"count", "reason", "queue", "time", "exchange", "routing-keys"}


def dead_letters_to(queue, **arguments):
    """The arguments that send dead letters to a queue; underscores of the further names stand for hyphens."""
    further = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue, **further}


def await_message(session, queue):
    got = []

    def arrived():
        method, properties, body = session.channel.basic_get(queue, auto_ack=True)
        if method:
            got.append((method, properties, body))
        return got

    session.wait_for(arrived, "a message in " + queue)
    return got[0]


@scenario("blocking-dead-letter-headers")
def dead_letter_headers(uri):
    with Session(uri) as session:
        exchange, graveyard = session.exchange("direct"), session.queue()
        queue = session.queue(exclusive=True, arguments=dead_letters_to(graveyard))
        session.channel.queue_bind(queue, exchange, "key")
        session.publish(exchange, "key", b"x", pika.BasicProperties(headers={"mine": "kept"}, expiration="30"))
        method, properties, body = await_message(session, graveyard)
        expect_equal((method.exchange, method.routing_key, body), ("", graveyard, b"x"), "delivery")
        expect_equal(properties.expiration, None, "expiration")
        headers = dict(properties.headers)
        expect_equal(headers["mine"], "kept", "the publisher's header")
        for name, value in (("reason", "expired"), ("queue", queue), ("exchange", exchange)):
            expect_equal(headers["x-first-death-" + name], value, "x-first-death-" + name)
        death, = headers["x-death"]
        expect_equal(set(death), DEATH_FIELDS | {"original-expiration"}, "fields of x-death")
        expect(isinstance(death["time"], datetime.datetime), "time is no timestamp")
        expect_equal(
            {name: death[name] for name in ("count", "reason", "queue", "exchange", "routing-keys", "original-expiration")},
            {"count": 1, "reason": "expired", "queue": queue, "exchange": exchange, "routing-keys": ["key"], "original-expiration": "30"},
            "x-death")


@scenario("blocking-dead-letter-retry-loop")
def retry_loop(uri):
    with Session(uri) as session:
        work, wait = unique("work"), unique("wait")
        session.channel.queue_declare(work, exclusive=True, arguments=dead_letters_to(wait))
        session.channel.queue_declare(wait, exclusive=True, arguments=dead_letters_to(work, message_ttl=20))
        collector = Collector()
        session.channel.basic_consume(work, collector)
        session.publish("", work, b"x")
        for attempt in range(1, 4):
            session.wait_for(lambda: len(collector) == attempt, "attempt {}".format(attempt))
            method, properties, _ = collector.deliveries[-1]
            deaths = (properties.headers or {}).get("x-death", [])
            expect_equal(
                [(death["queue"], death["reason"], death["count"]) for death in deaths],
                [(wait, "expired", attempt - 1), (work, "rejected", attempt - 1)] if attempt > 1 else [],
                "deaths before attempt {}".format(attempt))
            session.channel.basic_reject(method.delivery_tag, requeue=False)


@scenario("blocking-message-ttl")
def message_ttl(uri):
    with Session(uri) as session:
        graveyard = session.queue()
        for arguments, expiration in (({"message_ttl": 50}, "60000"), ({"message_ttl": 60000}, "50"), ({"message_ttl": 0}, None)):
            queue = session.queue(exclusive=True, arguments=dead_letters_to(graveyard, **arguments))
            session.publish("", queue, b"x", pika.BasicProperties(expiration=expiration))
            _, properties, _ = await_message(session, graveyard)
            expect_equal(properties.headers["x-death"][0]["queue"], queue, "queue of the death")
            session.expect_ready(queue, 0)


@scenario("blocking-queue-expires")
def queue_expires(uri):
    with Session(uri) as session:
        queue, graveyard = session.queue(exclusive=True, arguments={"x-expires": 300}), session.queue()
        collector = Collector()
        session.channel.basic_consume(queue, collector, auto_ack=True)
        unused = session.queue(exclusive=True, arguments={"x-expires": 100})
        session.publish("", session.queue(exclusive=True, arguments=dead_letters_to(graveyard, message_ttl=500)), b"marker")
        await_message(session, graveyard)
        expect(not exists(session, unused), "the unused queue is still there")
        session.publish("", queue, b"alive")
        session.wait_for(lambda: collector.bodies == [b"alive"], "a message by the queue in use")


@scenario("blocking-reject-publish")
def reject_publish(uri):
    with Session(uri) as session:
        graveyard = session.queue()
        for overflow, dead in (("reject-publish", []), ("reject-publish-dlx", [b"refused"])):
            arguments = dead_letters_to(graveyard, max_length=1, overflow=overflow)
            queue = session.queue(exclusive=True, arguments=arguments)
            channel = session.connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", queue, b"kept")
            with expect_nack():
                channel.basic_publish("", queue, b"refused")
            expect_equal(session.drain(queue), [b"kept"], "bodies in the queue")
            session.expect_ready(graveyard, len(dead))
            expect_equal(session.drain(graveyard), dead, "dead letters")


@scenario("blocking-max-length-drop-head")
def drop_head(uri):
    with Session(uri) as session:
        graveyard = session.queue()
        queue = session.queue(exclusive=True, arguments=dead_letters_to(graveyard, max_length=2))
        for body in (b"0", b"1", b"2"):
            session.publish("", queue, body)
        _, properties, body = await_message(session, graveyard)
        expect_equal((body, properties.headers["x-death"][0]["reason"]), (b"0", "maxlen"), "dead letter")
        expect_equal(session.drain(queue), [b"1", b"2"], "bodies in the queue")


@scenario("blocking-priorities")
def priorities(uri):
    with Session(uri) as session:
        queue = session.queue(exclusive=True, arguments={"x-max-priority": 10})
        for body, priority in ((b"low", 1), (b"none", None), (b"high", 9), (b"above", 99)):
            session.publish("", queue, body, pika.BasicProperties(priority=priority))
        session.expect_ready(queue, 4)
        expect_equal(session.drain(queue), [b"above", b"high", b"low", b"none"], "order")


@scenario("blocking-single-active-consumer")
def single_active_consumer(uri):
    with Session(uri) as session:
        queue = session.queue(exclusive=True, arguments={"x-single-active-consumer": True})
        active, waiting = Collector(), Collector()
        tag = session.channel.basic_consume(queue, active, auto_ack=True)
        session.channel.basic_consume(queue, waiting, auto_ack=True)
        session.publish("", queue, b"0")
        session.wait_for(lambda: active.bodies == [b"0"], "a message for the first consumer")
        session.channel.basic_cancel(tag)
        session.publish("", queue, b"1")
        session.wait_for(lambda: waiting.bodies == [b"1"], "a message for the second consumer")
        expect_equal(active.bodies, [b"0"], "bodies at the first consumer")


@scenario("blocking-exclusive-consumer")
def exclusive_consumer(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.channel.basic_consume(queue, Collector(), exclusive=True)
        with channel_error(session, 403) as channel:
            channel.basic_consume(queue, Collector())


@scenario("blocking-quorum-delivery-limit")
def delivery_limit(uri):
    with Session(uri) as session:
        graveyard = session.queue()
        arguments = dead_letters_to(graveyard, queue_type="quorum", delivery_limit=2)
        queue = session.queue(durable=True, arguments=arguments)
        collector = Collector()
        session.channel.basic_consume(queue, collector)
        session.publish("", queue, b"x")
        for failures in range(3):
            session.wait_for(lambda: len(collector) == failures + 1, "delivery {}".format(failures))
            method, properties, _ = collector.deliveries[-1]
            expect_equal((properties.headers or {}).get("x-delivery-count", 0), failures, "x-delivery-count")
            session.channel.basic_reject(method.delivery_tag, requeue=True)
        _, properties, _ = await_message(session, graveyard)
        expect_equal(properties.headers["x-death"][0]["reason"], "delivery_limit", "reason")


@contextlib.contextmanager
def expect_nack():
    try:
        yield
    except exceptions.NackError:
        return
    raise AssertionError("the broker confirmed what it had to refuse")
