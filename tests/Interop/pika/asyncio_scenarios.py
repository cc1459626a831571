"""Scenarios on pika's AsyncioConnection: what only callbacks show, and the basics again."""

import asyncio
import os
import time

import pika
from pika import exceptions
from pika.adapters.asyncio_connection import AsyncioConnection

from interop_harness import expect, expect_equal, scenario, unique

WAIT_SECONDS = 8
DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"


class Session:
    """The callbacks of a connection as awaitables."""

    def __init__(self, uri, **parameters):
        self._parameters = pika.URLParameters(uri)
        for name, value in parameters.items():
            setattr(self._parameters, name, value)
        self.connection = None
        self.closed = None

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        opened, self.closed = loop.create_future(), loop.create_future()
        self.connection = AsyncioConnection(
            self._parameters,
            on_open_callback=lambda _: opened.set_result(None),
            on_open_error_callback=lambda _, error: opened.set_exception(error),
            on_close_callback=lambda _, reason: self.closed.set_result(reason),
        )
        await within(opened, "the connection")
        return self

    async def __aexit__(self, *_):
        if self.connection.is_open:
            self.connection.close()
            await within(self.closed, "connection.close-ok")

    async def channel(self, number=None):
        opened = asyncio.get_running_loop().create_future()
        raw = self.connection.channel(channel_number=number, on_open_callback=opened.set_result)
        channel = Channel(raw)
        await within(opened, "channel.open-ok")
        return channel


class Channel:
    def __init__(self, raw):
        loop = asyncio.get_running_loop()
        self.raw = raw
        self.closed = loop.create_future()
        self.returned = []
        self.cancelled = []
        raw.add_on_close_callback(lambda _, reason: self.closed.set_result(reason))
        raw.add_on_return_callback(lambda _, method, properties, body: self.returned.append((method, body)))
        raw.add_on_cancel_callback(lambda frame: self.cancelled.append(frame.method.consumer_tag))

    async def call(self, method, *arguments, **options):
        """Calls a method that has an answer; a closed channel raises its reason."""
        answered = asyncio.get_running_loop().create_future()
        getattr(self.raw, method)(*arguments, callback=lambda frame: settle(answered, frame), **options)
        await asyncio.wait({answered, self.closed}, timeout=WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            return answered.result().method
        expect(self.closed.done(), "timed out waiting for the answer to " + method)
        raise self.closed.result()

    async def queue(self, **options):
        name = unique("queue")
        await self.call("queue_declare", name, **(options or {"exclusive": True}))
        return name

    async def exchange(self, kind, **options):
        """Bind something to it: the last unbinding deletes it."""
        name = unique(kind)
        await self.call("exchange_declare", name, exchange_type=kind, auto_delete=True, **options)
        return name

    async def bound_queue(self, exchange, *keys, arguments=None):
        queue = await self.queue()
        for key in keys:
            await self.call("queue_bind", queue, exchange, key, arguments=arguments)
        return queue

    async def consume(self, queue, **options):
        consumer = Consumer()
        consumer.tag = (await self.call("basic_consume", queue, consumer, **options)).consumer_tag
        return consumer

    async def ready(self, queue):
        return (await self.call("queue_declare", queue, passive=True)).message_count

    async def expect_ready(self, queue, count):
        """Counts may overtake publishes in the broker, even on one channel, so this waits for the count."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (ready := await self.ready(queue)) != count:
            expect(time.monotonic() < deadline, "{} ready messages instead of {}".format(ready, count))

    async def get(self, queue):
        """The method and body of a message, or None; acknowledged on delivery."""
        got = asyncio.get_running_loop().create_future()
        # Only the raw channel tells of get-empty, as pika's own blocking adapter does it.
        self.raw.add_callback(
            lambda _: settle(got, None), [pika.spec.Basic.GetEmpty], one_shot=True)
        self.raw.basic_get(
            queue, lambda _, method, properties, body: settle(got, (method, body)), auto_ack=True)
        return await within(got, "the answer to basic.get")

    async def drain(self, queue):
        bodies = []
        while (message := await self.get(queue)) is not None:
            bodies.append(message[1])
        return bodies


class Consumer:
    def __init__(self):
        self.tag = None
        self.deliveries = []

    def __call__(self, _, method, properties, body):
        self.deliveries.append((method, properties, body))

    @property
    def bodies(self):
        return [body for _, _, body in self.deliveries]

    def __len__(self):
        return len(self.deliveries)


def settle(future, result):
    if not future.done():
        future.set_result(result)


async def within(future, what):
    try:
        return await asyncio.wait_for(asyncio.shield(future), WAIT_SECONDS)
    except asyncio.TimeoutError:
        raise AssertionError("timed out waiting for " + what) from None


async def until(condition, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        expect(time.monotonic() < deadline, "timed out waiting for " + what)
        await asyncio.sleep(0.002)


async def expect_closed(session, channel, code):
    reason = await within(channel.closed, "channel.close")
    expect(isinstance(reason, exceptions.ChannelClosedByBroker), "closed by the client: {!r}".format(reason))
    expect_equal(reason.reply_code, code, "reply code")
    again = await session.channel()
    queue = await again.queue()
    again.raw.basic_publish("", queue, b"alive")
    expect_equal(await again.drain(queue), [b"alive"], "bodies on a new channel")


async def expect_refused(session, code, method, *arguments, **options):
    channel = await session.channel()
    try:
        await channel.call(method, *arguments, **options)
    except exceptions.ChannelClosedByBroker:
        await expect_closed(session, channel, code)
    else:
        raise AssertionError(method + " was not refused")


@scenario("asyncio-work-queue-fair-prefetch")
async def work_queue(uri):
    async with Session(uri) as session:
        publisher = await session.channel()
        queue = await publisher.queue()
        workers = []
        for _ in range(2):
            channel = await session.channel()
            await channel.call("basic_qos", prefetch_count=1)
            workers.append((channel, await channel.consume(queue)))
        for number in range(10):
            publisher.raw.basic_publish("", queue, b"%d" % number)
        for turn in range(1, 6):
            await until(lambda: all(len(c) == turn for _, c in workers), "a task for each worker")
            await publisher.expect_ready(queue, 10 - 2 * turn)
            for channel, consumer in workers:
                channel.raw.basic_ack(consumer.deliveries[-1][0].delivery_tag)


@scenario("asyncio-publish-subscribe-fanout")
async def fanout(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        exchange = await channel.exchange("fanout")
        consumers = [await channel.consume(await channel.bound_queue(exchange, ""), auto_ack=True) for _ in range(3)]
        channel.raw.basic_publish(exchange, "", b"news")
        await until(lambda: all(len(c) == 1 for c in consumers), "the broadcast")


@scenario("asyncio-routing-direct")
async def direct(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        exchange = await channel.exchange("direct")
        errors = await channel.bound_queue(exchange, "error")
        everything = await channel.bound_queue(exchange, "info", "error")
        for severity in ("info", "error", "unknown"):
            channel.raw.basic_publish(exchange, severity, severity.encode())
        expect_equal(await channel.drain(errors), [b"error"], "errors")
        expect_equal(await channel.drain(everything), [b"info", b"error"], "everything")


@scenario("asyncio-topics")
async def topics(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        exchange = await channel.exchange("topic")
        star = await channel.bound_queue(exchange, "*.critical")
        hash_ = await channel.bound_queue(exchange, "kern.#")
        for key in ("kern.critical", "kern", "kern.a.b", "cron.critical", "cron.a.critical"):
            channel.raw.basic_publish(exchange, key, key.encode())
        expect_equal(await channel.drain(star), [b"kern.critical", b"cron.critical"], "*.critical")
        expect_equal(await channel.drain(hash_), [b"kern.critical", b"kern", b"kern.a.b"], "kern.#")


@scenario("asyncio-headers-exchange")
async def headers(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        exchange = await channel.exchange("headers")
        every = await channel.bound_queue(exchange, "", arguments={"x-match": "all", "a": 1, "b": "2"})
        some = await channel.bound_queue(exchange, "", arguments={"x-match": "any", "a": 1, "b": "2"})
        for table in ({"a": 1, "b": "2"}, {"a": 1}, {"b": "other"}):
            channel.raw.basic_publish(exchange, "", repr(table).encode(), pika.BasicProperties(headers=table))
        expect_equal(await channel.drain(every), [b"{'a': 1, 'b': '2'}"], "all")
        expect_equal(await channel.drain(some), [b"{'a': 1, 'b': '2'}", b"{'a': 1}"], "any")


@scenario("asyncio-exchange-to-exchange-binding")
async def exchange_to_exchange(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        source, destination = await channel.exchange("direct"), await channel.exchange("fanout")
        queue = await channel.bound_queue(destination, "")
        await channel.call("exchange_bind", destination, source, "key")
        channel.raw.basic_publish(source, "key", b"x")
        expect_equal(await channel.drain(queue), [b"x"], "bodies")


@scenario("asyncio-alternate-exchange")
async def alternate_exchange(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        alternate = await channel.exchange("fanout")
        exchange = await channel.exchange("direct", arguments={"alternate-exchange": alternate})
        unrouted = await channel.bound_queue(alternate, "")
        await channel.bound_queue(exchange, "known")
        channel.raw.basic_publish(exchange, "unknown", b"x")
        expect_equal(await channel.drain(unrouted), [b"x"], "bodies")


@scenario("asyncio-rpc-exclusive-reply-queue")
async def rpc_exclusive_reply_queue(uri):
    async with Session(uri) as session:
        client = await session.channel()
        await call_upper(session, client, await client.queue())


@scenario("asyncio-rpc-direct-reply-to")
async def rpc_direct_reply_to(uri):
    async with Session(uri) as session:
        await call_upper(session, await session.channel(), DIRECT_REPLY_TO)


async def call_upper(session, client, reply_to):
    server = await session.channel()
    requests = await server.queue()

    def answer(channel, method, properties, body):
        reply = pika.BasicProperties(correlation_id=properties.correlation_id)
        channel.basic_publish("", properties.reply_to, body.upper(), reply)

    await server.call("basic_consume", requests, answer, auto_ack=True)
    answers = await client.consume(reply_to, auto_ack=True)
    for word in ("one", "two"):
        request = pika.BasicProperties(reply_to=reply_to, correlation_id=word)
        client.raw.basic_publish("", requests, word.encode(), request)
    await until(lambda: len(answers) == 2, "the answers")
    got = {properties.correlation_id: body for _, properties, body in answers.deliveries}
    expect_equal(got, {"one": b"ONE", "two": b"TWO"}, "answers")


@scenario("asyncio-confirm-async")
async def confirm_async(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        outstanding = set()
        refused = []

        def on_confirm(frame):
            method = frame.method
            if isinstance(method, pika.spec.Basic.Nack):
                refused.append(method.delivery_tag)
            covered = {tag for tag in outstanding if tag <= method.delivery_tag} if method.multiple \
                else {method.delivery_tag}
            expect(covered <= outstanding, "confirmed twice: {}".format(covered - outstanding))
            outstanding.difference_update(covered)

        await channel.call("confirm_delivery", on_confirm)
        for tag in range(1, 501):
            outstanding.add(tag)
            channel.raw.basic_publish("", queue, b"x")
        await until(lambda: not outstanding, "all confirms")
        expect_equal(refused, [], "nacked tags")
        expect_equal(await channel.ready(queue), 500, "messages")


@scenario("asyncio-mandatory-return-before-confirm")
async def mandatory_return(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        seen = []
        channel.raw.add_on_return_callback(lambda _, method, properties, body: seen.append(("return", body)))
        await channel.call("confirm_delivery", lambda frame: seen.append(("ack", frame.method.delivery_tag)))
        channel.raw.basic_publish("", unique("missing"), b"lost", mandatory=True)
        await until(lambda: len(seen) == 2, "return and ack")
        expect_equal(seen, [("return", b"lost"), ("ack", 1)], "order")
        expect_equal(channel.returned[0][0].reply_code, 312, "reply code")


@scenario("asyncio-nack-requeue")
async def nack_requeue(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        await channel.call("basic_qos", prefetch_count=1)
        consumer = await channel.consume(queue)
        for number in range(2):
            channel.raw.basic_publish("", queue, b"%d" % number)
        await until(lambda: len(consumer) == 1, "the first delivery")
        channel.raw.basic_nack(consumer.deliveries[0][0].delivery_tag, requeue=True)
        await until(lambda: len(consumer) == 2, "the second delivery")
        channel.raw.basic_ack(consumer.deliveries[1][0].delivery_tag)
        await until(lambda: len(consumer) == 3, "the third delivery")
        got = [(body, method.redelivered) for method, _, body in consumer.deliveries]
        expect_equal(got, [(b"0", False), (b"0", True), (b"1", False)], "deliveries")


@scenario("asyncio-basic-recover")
async def basic_recover(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        consumer = await channel.consume(queue)
        channel.raw.basic_publish("", queue, b"x")
        await until(lambda: len(consumer) == 1, "the delivery")
        await channel.call("basic_recover", True)
        await until(lambda: len(consumer) == 2, "the redelivery")
        expect(consumer.deliveries[1][0].redelivered, "redelivered not set")


@scenario("asyncio-basic-get")
async def basic_get(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        expect_equal(await channel.get(queue), None, "answer of an empty queue")
        channel.raw.basic_publish("", queue, b"x")
        method, body = await channel.get(queue)
        expect_equal((body, method.message_count), (b"x", 0), "answer")


@scenario("asyncio-consumer-cancel-by-client")
async def cancel_by_client(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        consumer = await channel.consume(queue, auto_ack=True)
        await channel.call("basic_cancel", consumer.tag)
        channel.raw.basic_publish("", queue, b"x")
        expect_equal(await channel.drain(queue), [b"x"], "bodies left in the queue")
        expect_equal(len(consumer), 0, "deliveries")


@scenario("asyncio-consumer-cancel-notification")
async def cancel_notification(uri):
    async with Session(uri) as session:
        channel, other = await session.channel(), await session.channel()
        queue = await channel.queue()
        consumer = await channel.consume(queue)
        await other.call("queue_delete", queue)
        await until(lambda: channel.cancelled, "basic.cancel")
        expect_equal(channel.cancelled, [consumer.tag], "cancelled consumers")


@scenario("asyncio-exclusive-queue")
async def exclusive_queue(uri):
    async with Session(uri) as other:
        async with Session(uri) as owner:
            queue = await (await owner.channel()).queue()
            await expect_refused(other, 405, "queue_declare", queue, passive=True)
        await expect_refused(other, 404, "queue_declare", queue, passive=True)


@scenario("asyncio-queue-purge-and-delete")
async def purge_and_delete(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        for _ in range(3):
            channel.raw.basic_publish("", queue, b"x")
        expect_equal((await channel.call("queue_purge", queue)).message_count, 3, "purged messages")
        channel.raw.basic_publish("", queue, b"x")
        expect_equal((await channel.call("queue_delete", queue)).message_count, 1, "deleted messages")


@scenario("asyncio-tx-commit-and-rollback")
async def transactions(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        await channel.call("tx_select")
        channel.raw.basic_publish("", queue, b"rolled back")
        await channel.call("tx_rollback")
        channel.raw.basic_publish("", queue, b"committed")
        expect_equal(await channel.ready(queue), 0, "messages before the commit")
        await channel.call("tx_commit")
        expect_equal(await channel.drain(queue), [b"committed"], "bodies")


@scenario("asyncio-errors-of-answered-methods")
async def errors_of_answered_methods(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        queue = await channel.queue()
        await expect_refused(session, 404, "queue_declare", unique("missing"), passive=True)
        await expect_refused(session, 404, "basic_consume", unique("missing"), Consumer())
        await expect_refused(session, 403, "queue_declare", "amq." + unique("queue"), exclusive=True)
        await expect_refused(session, 403, "exchange_declare", "")
        await expect_refused(session, 406, "queue_declare", queue, exclusive=True, auto_delete=True)
        await expect_refused(session, 406, "tx_commit")


@scenario("asyncio-errors-of-unanswered-methods")
async def errors_of_unanswered_methods(uri):
    async with Session(uri) as session:
        for code, method, arguments in (
            (404, "basic_publish", (unique("missing"), "key", b"x")),
            (406, "basic_ack", (1,)),
            (406, "basic_nack", (1,)),
            (406, "basic_reject", (1,)),
        ):
            channel = await session.channel()
            getattr(channel.raw, method)(*arguments)
            await expect_closed(session, channel, code)


@scenario("asyncio-channel-reopened-same-number")
async def channel_reopened(uri):
    async with Session(uri) as session:
        for _ in range(3):
            channel = await session.channel(9)
            channel.raw.basic_ack(1)
            await expect_closed(session, channel, 406)
        again = await session.channel(9)
        expect_equal(again.raw.channel_number, 9, "channel number")
        await again.queue()


@scenario("asyncio-publishes-behind-a-channel-error")
async def publishes_behind_a_channel_error(uri):
    async with Session(uri) as session:
        survivor, channel = await session.channel(), await session.channel()
        queue = await survivor.queue()
        # Everything up to the client's close-ok belongs to the dead channel, and the broker drops it.
        channel.raw.basic_publish(unique("missing"), "key", b"x")
        for _ in range(50):
            channel.raw.basic_publish("", queue, os.urandom(1000))
        await expect_closed(session, channel, 404)
        expect_equal(await survivor.drain(queue), [], "bodies published on the dead channel")


@scenario("asyncio-thousand-channels")
async def thousand_channels(uri):
    async with Session(uri) as session:
        channels = await asyncio.gather(*(session.channel() for _ in range(1000)))
        queue = await channels[0].queue()
        for channel in channels:
            channel.raw.basic_publish("", queue, b"x")
        answers = await channels[0].consume(queue, auto_ack=True)
        await until(lambda: len(answers) == 1000, "a message from every channel")


@scenario("asyncio-body-sizes")
async def body_sizes(uri):
    frame_max = 4096
    async with Session(uri, frame_max=frame_max) as session:
        channel = await session.channel()
        queue = await channel.queue()
        bodies = [os.urandom(size) for size in (0, 1, frame_max - 8, frame_max - 7, 2 * frame_max, 2 ** 20)]
        for body in bodies:
            channel.raw.basic_publish("", queue, body)
        consumer = await channel.consume(queue, auto_ack=True)
        await until(lambda: len(consumer) == len(bodies), "all bodies")
        expect(consumer.bodies == bodies, "bodies differ: " + repr([len(body) for body in consumer.bodies]))


@scenario("asyncio-wrong-password")
async def wrong_password(uri):
    user = pika.URLParameters(uri).credentials.username
    try:
        async with Session(uri, credentials=pika.PlainCredentials(user, "wrong")):
            raise AssertionError("connected with a wrong password")
    except exceptions.ProbableAuthenticationError as error:
        expect("403" in str(error), "cause: " + str(error))


@scenario("asyncio-heartbeats-keep-an-idle-connection")
async def heartbeats(uri):
    async with Session(uri, heartbeat=2) as session:
        channel = await session.channel()
        queue = await channel.queue()
        # Idle for three times the interval is the scenario itself: either side
        # that missed the other's heartbeats would have closed by then.
        done, _ = await asyncio.wait({session.closed}, timeout=6.5)
        expect(not done, "the connection closed while idle")
        channel.raw.basic_publish("", queue, b"x")
        expect_equal(await channel.drain(queue), [b"x"], "bodies after the idle time")


@scenario("asyncio-connection-close")
async def connection_close(uri):
    async with Session(uri) as session:
        channel = await session.channel()
        session.connection.close(200, "done")
        reason = await within(session.closed, "connection.close-ok")
        expect(isinstance(reason, exceptions.ConnectionClosedByClient), "reason: {!r}".format(reason))
        await within(channel.closed, "the channel to close")
