"""What queues do with messages besides keeping them. On aio-pika, which publishes with confirms unless told otherwise."""

import datetime
import time

from aio_pika import Message
from aio_pika.exceptions import DeliveryError
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed

from aio_pika_scenarios import WAIT_SECONDS, Collector, Session, drain, refused, until
from interop_harness import expect, expect_equal, scenario, unique


def dead_letters_to(queue, **arguments):
    """The arguments that send dead letters to a queue; underscores of the further names stand for hyphens."""
    further = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue.name, **further}


async def only_message(queue):
    collector = Collector()
    tag = await queue.consume(collector.take, no_ack=True)
    await until(lambda: len(collector) == 1, "a message in " + queue.name)
    await queue.cancel(tag)
    return collector.messages[0]


@scenario("dead-letter-headers")
async def dead_letter_headers(uri):
    async with Session(uri) as session:
        graveyard = await session.queue()
        queue = await session.queue(exclusive=True, arguments=dead_letters_to(graveyard))
        message = Message(b"x", headers={"mine": "kept"}, expiration=60)
        await session.channel.default_exchange.publish(message, queue.name)
        await (await next_message(queue)).reject(requeue=False)
        letter = await only_message(graveyard)
        expect_equal((letter.body, letter.expiration, letter.headers["mine"]), (b"x", None, "kept"), "dead letter")
        death, = letter.headers["x-death"]
        expect(isinstance(death["time"], datetime.datetime), "time is no timestamp")
        del death["time"]
        expect_equal(death, {
            "count": 1, "reason": "rejected", "queue": queue.name, "exchange": "", "routing-keys": [queue.name],
            "original-expiration": "60000",
        }, "x-death")


@scenario("message-ttl")
async def message_ttl(uri):
    async with Session(uri) as session:
        graveyard = await session.queue()
        for ttl, expiration in ((50, 60), (60000, 0.05)):
            queue = await session.queue(exclusive=True, arguments=dead_letters_to(graveyard, message_ttl=ttl))
            await session.channel.default_exchange.publish(Message(b"x", expiration=expiration), queue.name)
            letter = await only_message(graveyard)
            expect_equal(letter.headers["x-first-death-reason"], "expired", "reason")


@scenario("reject-publish")
async def reject_publish(uri):
    async with Session(uri) as session:
        queue = await session.queue(exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
        channel = await session.connection.channel()
        await channel.default_exchange.publish(Message(b"kept"), queue.name)
        try:
            await channel.default_exchange.publish(Message(b"refused"), queue.name)
        except DeliveryError:
            expect_equal(await drain(queue), [b"kept"], "bodies in the queue")
        else:
            raise AssertionError("the broker confirmed what it had to refuse")


@scenario("priorities")
async def priorities(uri):
    async with Session(uri) as session:
        queue = await session.queue(exclusive=True, arguments={"x-max-priority": 10})
        for body, priority in ((b"low", 1), (b"none", None), (b"high", 9)):
            await session.channel.default_exchange.publish(Message(body, priority=priority), queue.name)
        await session.expect_ready(queue, 3)
        expect_equal(await drain(queue), [b"high", b"low", b"none"], "order")


@scenario("exclusive-consumer")
async def exclusive_consumer(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        await queue.consume(Collector().take, exclusive=True)
        async with refused(session, ChannelAccessRefused) as channel:
            await (await channel.get_queue(queue.name)).consume(Collector().take)


@scenario("arguments-refused")
async def arguments_refused(uri):
    async with Session(uri) as session:
        for arguments in ({"x-expires": 0}, {"x-message-ttl": "soon"}, {"x-overflow": "sideways"}, {"x-max-priority": 256}):
            async with refused(session, ChannelPreconditionFailed) as channel:
                await channel.declare_queue(unique("queue"), exclusive=True, arguments=arguments)


@scenario("quorum-delivery-count")
async def delivery_count(uri):
    async with Session(uri) as session:
        graveyard = await session.queue()
        arguments = dead_letters_to(graveyard, queue_type="quorum", delivery_limit=1)
        queue = await session.queue(durable=True, arguments=arguments)
        await session.publish(queue, b"x")
        for failures in range(2):
            message = await next_message(queue)
            expect_equal(message.headers.get("x-delivery-count", 0), failures, "x-delivery-count")
            await message.reject(requeue=True)
        letter = await only_message(graveyard)
        expect_equal(letter.headers["x-first-death-reason"], "delivery_limit", "reason")


async def next_message(queue):
    """The next message, still to be settled."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (message := await queue.get(fail=False)) is None:
        expect(time.monotonic() < deadline, "timed out waiting for a message in " + queue.name)
    return message
