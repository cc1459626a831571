"""Scenarios on aio-pika."""

import asyncio
import contextlib
import datetime
import os
import time

import aio_pika
from aio_pika import ExchangeType, Message, exceptions
from aiormq.exceptions import ChannelAccessRefused, ChannelLockedResource
from yarl import URL

from interop_harness import expect, expect_equal, scenario, unique

WAIT_SECONDS = 8
DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"


class Session:
    """A connection with one channel without publisher confirms, and what is to be deleted at the end."""

    def __init__(self, uri):
        self._uri = uri
        self._exchanges = []
        self._queues = []
        self.connection = None
        self.channel = None

    async def __aenter__(self):
        self.connection = await aio_pika.connect(self._uri, timeout=WAIT_SECONDS)
        self.channel = await self.connection.channel(publisher_confirms=False)
        return self

    async def __aexit__(self, *_):
        if self.connection.is_closed:
            return
        cleaner = await self.connection.channel()
        for queue in self._queues:
            await cleaner.queue_delete(queue)
        for exchange in self._exchanges:
            await cleaner.exchange_delete(exchange)
        await self.connection.close()

    async def queue(self, **options):
        """An exclusive queue unless options say otherwise."""
        name = unique("queue")
        queue = await self.channel.declare_queue(name, **(options or {"exclusive": True}))
        self._queues.append(name)
        return queue

    async def exchange(self, kind, **options):
        exchange = await self.channel.declare_exchange(unique("exchange"), kind, **options)
        self._exchanges.append(exchange.name)
        return exchange

    async def bound_queue(self, exchange, *keys, arguments=None):
        queue = await self.queue()
        for key in keys:
            await queue.bind(exchange, key, arguments=arguments)
        return queue

    async def publish(self, queue, *bodies):
        for body in bodies:
            await self.channel.default_exchange.publish(Message(body), queue.name)

    async def ready(self, queue):
        return (await self.channel.declare_queue(queue.name, passive=True)).declaration_result.message_count

    async def expect_ready(self, queue, count):
        """Counts may overtake publishes in the broker, even on one channel, so this waits for the count."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (ready := await self.ready(queue)) != count:
            expect(time.monotonic() < deadline, "{} ready messages instead of {}".format(ready, count))


class Collector:
    """A consumer that keeps what it gets."""

    def __init__(self):
        self.messages = []

    async def take(self, message):
        self.messages.append(message)

    @property
    def bodies(self):
        return [message.body for message in self.messages]

    def __len__(self):
        return len(self.messages)


async def until(condition, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        expect(time.monotonic() < deadline, "timed out waiting for " + what)
        await asyncio.sleep(0.002)


async def drain(queue):
    bodies = []
    while (message := await queue.get(no_ack=True, fail=False)) is not None:
        bodies.append(message.body)
    return bodies


@contextlib.asynccontextmanager
async def refused(session, error, **options):
    """The block gets a channel that the broker must close with this error."""
    channel = await session.connection.channel(**options)
    closed = asyncio.get_running_loop().create_future()
    channel.close_callbacks.add(lambda _, reason: closed.done() or closed.set_result(reason))
    try:
        yield channel
    except error:
        pass
    # An error of a method without an answer only shows as the closed channel.
    reason = await asyncio.wait_for(closed, WAIT_SECONDS)
    expect(isinstance(reason, error), "closed with {!r}".format(reason))
    again = await session.connection.channel()
    queue = await again.declare_queue("", exclusive=True)
    await again.default_exchange.publish(Message(b"alive"), queue.name)
    expect_equal(await drain(queue), [b"alive"], "bodies on a new channel")
    await queue.delete()
    await again.close()


# --- queues and consumers ---


@scenario("work-queue-fair-prefetch")
async def work_queue(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        workers = []
        for _ in range(2):
            channel = await session.connection.channel()
            await channel.set_qos(prefetch_count=1)
            worker = Collector()
            await (await channel.get_queue(queue.name)).consume(worker.take)
            workers.append(worker)
        await session.publish(queue, *(b"%d" % number for number in range(10)))
        for turn in range(1, 6):
            await until(lambda: all(len(worker) == turn for worker in workers), "a task for each worker")
            await session.expect_ready(queue, 10 - 2 * turn)
            for worker in workers:
                await worker.messages[-1].ack()


@scenario("multiple-consumers-one-channel")
async def multiple_consumers(uri):
    async with Session(uri) as session:
        consumers = {}
        for _ in range(3):
            queue, collector = await session.queue(), Collector()
            consumers[await queue.consume(collector.take, no_ack=True)] = collector
            await session.publish(queue, queue.name.encode())
        await until(lambda: all(len(c) == 1 for c in consumers.values()), "one delivery for each")
        expect_equal({c.messages[0].consumer_tag for c in consumers.values()}, set(consumers), "consumer tags")


@scenario("qos-per-consumer")
async def qos_per_consumer(uri):
    async with Session(uri) as session:
        first, second = await session.queue(), await session.queue()
        few, many = Collector(), Collector()
        for queue in (first, second):
            await session.publish(queue, *(b"%d" % number for number in range(5)))
        await session.channel.set_qos(prefetch_count=1)
        await first.consume(few.take)
        await session.channel.set_qos(prefetch_count=3)
        await second.consume(many.take)
        await until(lambda: len(few) >= 1 and len(many) >= 3, "both prefetch windows")
        await session.expect_ready(first, 4)
        await session.expect_ready(second, 2)


@scenario("consumer-priority")
async def consumer_priority(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        low, high = Collector(), Collector()
        await queue.consume(low.take)
        preferred = await session.connection.channel()
        await preferred.set_qos(prefetch_count=2)
        await (await preferred.get_queue(queue.name)).consume(high.take, arguments={"x-priority": 10})
        await session.publish(queue, *(b"%d" % number for number in range(4)))
        await until(lambda: len(low) + len(high) == 4, "all deliveries")
        expect_equal((high.bodies, low.bodies), ([b"0", b"1"], [b"2", b"3"]), "bodies")


@scenario("consumer-cancel-by-client")
async def cancel_by_client(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        collector = Collector()
        tag = await queue.consume(collector.take)
        await session.publish(queue, b"before")
        await until(lambda: len(collector) == 1, "the delivery")
        await queue.cancel(tag)
        await session.publish(queue, b"after")
        expect_equal(await drain(queue), [b"after"], "bodies left in the queue")
        await collector.messages[0].ack()
        await session.expect_ready(queue, 0)


@scenario("channel-survives-consumer-cancel-notification")
async def cancel_notification(uri):
    async with Session(uri) as session:
        queue = await session.queue(durable=True)
        await queue.consume(Collector().take)
        await (await session.connection.channel()).queue_delete(queue.name)
        other = await session.queue()
        await session.publish(other, b"x")
        expect_equal(await drain(other), [b"x"], "bodies on the same channel")


@scenario("queue-iterator")
async def queue_iterator(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        await session.publish(queue, b"0", b"1", b"2")
        bodies = []
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    bodies.append(message.body)
                if len(bodies) == 3:
                    break
        expect_equal(bodies, [b"0", b"1", b"2"], "bodies")


@scenario("basic-get")
async def basic_get(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        try:
            await queue.get()
            raise AssertionError("got a message from an empty queue")
        except exceptions.QueueEmpty:
            pass
        await session.publish(queue, b"first", b"second")
        message = await queue.get()
        expect_equal((message.body, message.message_count, message.redelivered), (b"first", 1, False), "get-ok")
        await message.ack()
        expect_equal(await drain(queue), [b"second"], "bodies left")


@scenario("nack-requeue-keeps-position")
async def nack_requeue(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        await session.publish(queue, b"0", b"1")
        await (await queue.get()).nack(requeue=True)
        seen = [(message.body, message.redelivered) for message in [await queue.get(), await queue.get()]]
        expect_equal(seen, [(b"0", True), (b"1", False)], "order after the requeue")


@scenario("reject-without-requeue")
async def reject_without_requeue(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        await session.publish(queue, b"unwanted", b"wanted")
        await (await queue.get()).reject(requeue=False)
        expect_equal(await drain(queue), [b"wanted"], "bodies left")


@scenario("basic-recover")
async def basic_recover(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        collector = Collector()
        await queue.consume(collector.take)
        await session.publish(queue, b"0", b"1")
        await until(lambda: len(collector) == 2, "the deliveries")
        await session.channel.channel.basic_recover(requeue=True)
        await until(lambda: len(collector) == 4, "the redeliveries")
        expect_equal(collector.bodies, [b"0", b"1"] * 2, "bodies")
        expect_equal([m.redelivered for m in collector.messages], [False, False, True, True], "redelivered")


@scenario("exclusive-queue")
async def exclusive_queue(uri):
    async with Session(uri) as other:
        async with Session(uri) as owner:
            queue = await owner.queue()
            async with refused(other, ChannelLockedResource) as channel:
                await channel.declare_queue(queue.name, passive=True)
        async with refused(other, exceptions.ChannelNotFoundEntity) as channel:
            await channel.declare_queue(queue.name, passive=True)


@scenario("auto-delete-queue")
async def auto_delete_queue(uri):
    async with Session(uri) as session:
        queue = await session.queue(durable=True, auto_delete=True)
        await queue.cancel(await queue.consume(Collector().take))
        deadline = time.monotonic() + WAIT_SECONDS
        with contextlib.suppress(exceptions.ChannelNotFoundEntity):
            while True:
                expect(time.monotonic() < deadline, "timed out waiting for the queue to go")
                channel = await session.connection.channel()
                await channel.declare_queue(queue.name, passive=True)
                await channel.close()


@scenario("server-named-queue")
async def server_named_queue(uri):
    async with Session(uri) as session:
        first = await session.channel.declare_queue(exclusive=True)
        second = await session.channel.declare_queue("", exclusive=True)
        expect(first.name != second.name, "the same name twice")
        expect(first.name.startswith("amq.gen-"), "name: " + first.name)


@scenario("queue-purge")
async def queue_purge(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        await session.publish(queue, b"0", b"1", b"2")
        expect_equal((await queue.purge()).message_count, 3, "purged messages")
        expect_equal(await drain(queue), [], "bodies after the purge")


@scenario("queue-delete-if-unused-if-empty")
async def queue_delete(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        tag = await queue.consume(Collector().take)
        async with refused(session, exceptions.ChannelPreconditionFailed) as channel:
            await channel.queue_delete(queue.name, if_unused=True)
        await queue.cancel(tag)
        await session.publish(queue, b"x")
        await session.expect_ready(queue, 1)
        async with refused(session, exceptions.ChannelPreconditionFailed) as channel:
            await channel.queue_delete(queue.name, if_empty=True)
        expect_equal((await session.channel.queue_delete(queue.name)).message_count, 1, "deleted messages")


# --- exchanges ---


@scenario("publish-subscribe-fanout")
async def fanout(uri):
    async with Session(uri) as session:
        exchange = await session.exchange(ExchangeType.FANOUT)
        collectors = [Collector(), Collector()]
        for collector in collectors:
            await (await session.bound_queue(exchange, "")).consume(collector.take, no_ack=True)
        await exchange.publish(Message(b"news"), "any")
        await until(lambda: all(c.bodies == [b"news"] for c in collectors), "the broadcast")


@scenario("routing-direct")
async def direct(uri):
    async with Session(uri) as session:
        exchange = await session.exchange(ExchangeType.DIRECT)
        errors = await session.bound_queue(exchange, "error")
        everything = await session.bound_queue(exchange, "info", "error")
        for severity in ("info", "error", "unknown"):
            await exchange.publish(Message(severity.encode()), severity)
        expect_equal(await drain(errors), [b"error"], "errors")
        expect_equal(await drain(everything), [b"info", b"error"], "everything")


@scenario("topics")
async def topics(uri):
    async with Session(uri) as session:
        exchange = await session.exchange(ExchangeType.TOPIC)
        star = await session.bound_queue(exchange, "*.critical")
        hash_ = await session.bound_queue(exchange, "kern.#")
        for key in ("kern.critical", "kern", "kern.a.b", "cron.critical", "cron.a.critical"):
            await exchange.publish(Message(key.encode()), key)
        expect_equal(await drain(star), [b"kern.critical", b"cron.critical"], "*.critical")
        expect_equal(await drain(hash_), [b"kern.critical", b"kern", b"kern.a.b"], "kern.#")


@scenario("headers-exchange")
async def headers(uri):
    async with Session(uri) as session:
        exchange = await session.exchange(ExchangeType.HEADERS)
        every = await session.bound_queue(exchange, "", arguments={"x-match": "all", "a": 1, "b": "2"})
        some = await session.bound_queue(exchange, "", arguments={"x-match": "any", "a": 1, "b": "2"})
        for body, table in {b"both": {"a": 1, "b": "2"}, b"one": {"a": 1}, b"other": {"b": "3"}}.items():
            await exchange.publish(Message(body, headers=table), "")
        expect_equal(await drain(every), [b"both"], "all")
        expect_equal(await drain(some), [b"both", b"one"], "any")


@scenario("exchange-to-exchange-binding")
async def exchange_to_exchange(uri):
    async with Session(uri) as session:
        source = await session.exchange(ExchangeType.DIRECT)
        destination = await session.exchange(ExchangeType.FANOUT)
        queue = await session.bound_queue(destination, "")
        await destination.bind(source, "key")
        await source.publish(Message(b"bound"), "key")
        expect_equal(await drain(queue), [b"bound"], "bodies")
        await destination.unbind(source, "key")
        await source.publish(Message(b"unbound"), "key")
        expect_equal(await drain(queue), [], "bodies after the unbind")


@scenario("alternate-exchange")
async def alternate_exchange(uri):
    async with Session(uri) as session:
        alternate = await session.exchange(ExchangeType.FANOUT)
        exchange = await session.exchange(ExchangeType.DIRECT, arguments={"alternate-exchange": alternate.name})
        queue = await session.bound_queue(alternate, "")
        await exchange.publish(Message(b"x"), "unknown")
        expect_equal(await drain(queue), [b"x"], "bodies")


# --- rpc ---


@scenario("rpc-exclusive-reply-queue")
async def rpc_exclusive_reply_queue(uri):
    async with Session(uri) as server, Session(uri) as client:
        requests = await serve_upper(server)
        replies = await client.channel.declare_queue("", exclusive=True)
        await call_upper(client, requests, replies.name, replies)


@scenario("rpc-direct-reply-to")
async def rpc_direct_reply_to(uri):
    async with Session(uri) as server, Session(uri) as client:
        requests = await serve_upper(server)
        # The pseudo-queue can be neither declared nor checked.
        replies = await client.channel.get_queue(DIRECT_REPLY_TO, ensure=False)
        await call_upper(client, requests, DIRECT_REPLY_TO, replies)


async def serve_upper(server):
    async def answer(message):
        async with message.process():
            reply = Message(message.body.upper(), correlation_id=message.correlation_id)
            await server.channel.default_exchange.publish(reply, message.reply_to)

    requests = await server.queue(durable=True)
    await requests.consume(answer)
    return requests


async def call_upper(client, requests, reply_to, replies):
    answers = Collector()
    await replies.consume(answers.take, no_ack=True)
    for word in ("one", "two"):
        request = Message(word.encode(), correlation_id=word, reply_to=reply_to)
        await client.channel.default_exchange.publish(request, requests.name)
    await until(lambda: len(answers) == 2, "the answers")
    got = {message.correlation_id: message.body for message in answers.messages}
    expect_equal(got, {"one": b"ONE", "two": b"TWO"}, "answers")


# --- confirms, returns, transactions ---


@scenario("confirm-single")
async def confirm_single(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        channel = await session.connection.channel(publisher_confirms=True)
        for _ in range(20):
            await channel.default_exchange.publish(Message(b"x"), queue.name)
        expect_equal(await session.ready(queue), 20, "messages seen on another channel")


@scenario("confirm-async")
async def confirm_async(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        channel = await session.connection.channel(publisher_confirms=True)
        await asyncio.wait_for(
            asyncio.gather(*(channel.default_exchange.publish(Message(b"x"), queue.name) for _ in range(200))),
            WAIT_SECONDS)
        expect_equal(await session.ready(queue), 200, "messages seen on another channel")


@scenario("mandatory-return-before-confirm")
async def mandatory_return(uri):
    async with Session(uri) as session:
        channel = await session.connection.channel(publisher_confirms=True, on_return_raises=True)
        missing = unique("missing")
        try:
            # A return that came after the ack would not raise.
            await channel.default_exchange.publish(Message(b"lost"), missing, mandatory=True)
        except exceptions.PublishError as error:
            expect_equal(error.frame.reply_code, 312, "reply code")
            expect_equal((error.message.body, error.message.delivery.routing_key), (b"lost", missing), "return")
        else:
            raise AssertionError("confirmed without a return")


@scenario("tx-commit-and-rollback")
async def transactions(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        transaction = session.channel.transaction()
        await transaction.select()
        await session.publish(queue, b"rolled back")
        await transaction.rollback()
        await session.publish(queue, b"committed")
        expect_equal(await session.ready(queue), 0, "messages before the commit")
        await transaction.commit()
        expect_equal(await drain(queue), [b"committed"], "bodies")


# --- errors ---


@scenario("error-not-found")
async def not_found(uri):
    async with Session(uri) as session:
        error = exceptions.ChannelNotFoundEntity
        async with refused(session, error) as channel:
            await channel.get_queue(unique("missing"))
        async with refused(session, error) as channel:
            await channel.get_exchange(unique("missing"))
        async with refused(session, error) as channel:
            await (await channel.get_queue(unique("missing"), ensure=False)).consume(Collector().take)
        async with refused(session, error) as channel:
            exchange = await channel.get_exchange(unique("missing"), ensure=False)
            await exchange.publish(Message(b"x"), "key")
        async with refused(session, error, publisher_confirms=False) as channel:
            exchange = await channel.get_exchange(unique("missing"), ensure=False)
            await exchange.publish(Message(b"x"), "key")


@scenario("error-access-refused")
async def access_refused(uri):
    async with Session(uri) as session:
        async with refused(session, ChannelAccessRefused) as channel:
            await channel.declare_queue("amq." + unique("queue"), exclusive=True)
        async with refused(session, ChannelAccessRefused) as channel:
            await channel.declare_exchange("amq." + unique("exchange"))
        async with refused(session, ChannelAccessRefused) as channel:
            await channel.declare_exchange("")


@scenario("error-inequivalent-argument")
async def inequivalent(uri):
    async with Session(uri) as session:
        queue, exchange = await session.queue(), await session.exchange(ExchangeType.DIRECT)
        async with refused(session, exceptions.ChannelPreconditionFailed) as channel:
            await channel.declare_queue(queue.name, exclusive=True, auto_delete=True)
        async with refused(session, exceptions.ChannelPreconditionFailed) as channel:
            await channel.declare_exchange(exchange.name, ExchangeType.TOPIC)


@scenario("error-unknown-delivery-tag")
async def unknown_delivery_tag(uri):
    async with Session(uri) as session:
        for settle in ("basic_ack", "basic_nack", "basic_reject"):
            async with refused(session, exceptions.ChannelPreconditionFailed) as channel:
                await getattr(channel.channel, settle)(42)


@scenario("error-double-ack")
async def double_ack(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        await session.publish(queue, b"x")
        await session.expect_ready(queue, 1)
        async with refused(session, exceptions.ChannelPreconditionFailed) as channel:
            message = await (await channel.get_queue(queue.name)).get()
            await message.ack()
            # The message object refuses a second ack by itself.
            await channel.channel.basic_ack(message.delivery_tag)


@scenario("channel-reopened-same-number")
async def channel_reopened(uri):
    async with Session(uri) as session:
        for _ in range(3):
            async with refused(session, exceptions.ChannelNotFoundEntity, channel_number=7) as channel:
                await channel.get_queue(unique("missing"))
        again = await session.connection.channel(channel_number=7)
        expect_equal(again.number, 7, "channel number")
        await again.declare_queue(exclusive=True)


# --- contents ---


@scenario("body-sizes")
async def body_sizes(uri):
    async with Session(uri) as session:
        frame_max = session.connection.transport.connection.connection_tune.frame_max or 131072
        queue = await session.queue()
        for size in (0, 1, frame_max - 8, frame_max - 7, 2 * frame_max, 10 * 1024 * 1024):
            body = os.urandom(size)
            await session.publish(queue, body)
            got = await drain(queue)
            expect(got == [body], "a body of {} bytes came back as {}".format(size, [len(b) for b in got]))


@scenario("properties-round-trip")
async def properties_round_trip(uri):
    sent = {
        "content_type": "text/plain",
        "content_encoding": "utf-8",
        "delivery_mode": aio_pika.DeliveryMode.PERSISTENT,
        "priority": 7,
        "correlation_id": "correlation ☃",
        "reply_to": "reply",
        "message_id": "m" * 255,
        "timestamp": datetime.datetime(2023, 11, 14, 22, 13, 20),
        "type": "type",
        "user_id": URL(uri).user or "guest",
        "app_id": "app",
    }
    async with Session(uri) as session:
        queue = await session.queue()
        await session.channel.default_exchange.publish(Message(b"x", **sent), queue.name)
        got = await queue.get(no_ack=True)
        comparable = {name: getattr(got, name) for name in sent}
        comparable["timestamp"] = comparable["timestamp"].replace(tzinfo=None)
        expect_equal(comparable, sent, "properties")


@scenario("header-types-round-trip")
async def header_types_round_trip(uri):
    sent = {
        "string": "text ☃",
        "bytes": bytearray(b"\x00\xff"),
        "true": True,
        "octet": 100,
                "short": -30000,
        "unsigned short": 60000,
        "int": -(2 ** 31),
        "unsigned int": 2 ** 32 - 1,
        "long": -(2 ** 62),
        "timestamp": datetime.datetime(2023, 11, 14, 22, 13, 20),
        "void": None,
        "table": {"nested": {"deep": 1}, "empty": {}},
        "array": [1, "two", [3, {"four": 4.5}], None],
    }
    async with Session(uri) as session:
        queue = await session.queue()
        await session.channel.default_exchange.publish(Message(b"x", headers=sent), queue.name)
        got = dict((await queue.get(no_ack=True)).headers_raw)
        got["timestamp"] = got["timestamp"].replace(tzinfo=None)
        got["bytes"] = bytearray(got["bytes"])
        expect_equal(got, sent, "headers")


# --- connections ---


@scenario("two-hundred-channels")
async def many_channels(uri):
    async with Session(uri) as session:
        queue = await session.queue()
        channels = [await session.connection.channel(publisher_confirms=False) for _ in range(200)]
        for channel in channels:
            await channel.default_exchange.publish(Message(b"x"), queue.name)
        collector = Collector()
        await queue.consume(collector.take, no_ack=True)
        await until(lambda: len(collector) == 200, "a message from every channel")


@scenario("wrong-password")
async def wrong_password(uri):
    try:
        await aio_pika.connect(str(URL(uri).with_password("wrong")), timeout=WAIT_SECONDS)
    except exceptions.ProbableAuthenticationError as error:
        expect("ACCESS_REFUSED" in str(error), "cause: " + str(error))
    else:
        raise AssertionError("connected with a wrong password")


@scenario("robust-connection")
async def robust_connection(uri):
    connection = await aio_pika.connect_robust(uri, timeout=WAIT_SECONDS)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await channel.default_exchange.publish(Message(b"x"), queue.name)
        expect_equal(await drain(queue), [b"x"], "bodies")


@scenario("connection-close")
async def connection_close(uri):
    connection = await aio_pika.connect(uri, timeout=WAIT_SECONDS)
    await connection.channel()
    await asyncio.wait_for(connection.close(), WAIT_SECONDS)
    expect(connection.is_closed, "connection not closed")
