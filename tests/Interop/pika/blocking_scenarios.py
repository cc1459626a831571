"""Scenarios on pika's BlockingConnection."""

import contextlib
import datetime
import decimal
import os
import time

import pika
from pika import exceptions

from interop_harness import expect, expect_equal, scenario, unique

WAIT_SECONDS = 8
DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"


class Session:
    """A connection with one channel; what it declares is deleted when it ends."""

    def __init__(self, uri, **parameters):
        self.parameters = parameters_for(uri, **parameters)
        self.connection = pika.BlockingConnection(self.parameters)
        self.channel = self.connection.channel()
        self._queues = []
        self._exchanges = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.connection.is_open:
            return
        cleaner = self.connection.channel()
        for queue in self._queues:
            cleaner.queue_delete(queue)
        for exchange in self._exchanges:
            cleaner.exchange_delete(exchange)
        self.connection.close()

    def queue(self, **options):
        """An exclusive queue unless options say otherwise."""
        name = unique("queue")
        self.channel.queue_declare(name, **(options or {"exclusive": True}))
        self._queues.append(name)
        return name

    def exchange(self, kind, **options):
        name = unique(kind)
        self.channel.exchange_declare(name, exchange_type=kind, **options)
        self._exchanges.append(name)
        return name

    def bound_queue(self, exchange, *keys, arguments=None):
        queue = self.queue()
        for key in keys:
            self.channel.queue_bind(queue, exchange, key, arguments)
        return queue

    def publish(self, exchange, key, body, properties=None, mandatory=False):
        self.channel.basic_publish(exchange, key, body, properties, mandatory)

    def get(self, queue):
        method, _, body = self.channel.basic_get(queue, auto_ack=True)
        return body if method else None

    def drain(self, queue):
        """The bodies in the queue. Publishing on the same channel before this is in order."""
        return list(iter(lambda: self.get(queue), None))

    def ready(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def expect_ready(self, queue, count):
        """Counts may overtake publishes in the broker, even on one channel, so this waits for the count."""
        self.wait_for(lambda: self.ready(queue) == count, "{} ready messages".format(count))

    def wait_for(self, condition, what):
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            expect(time.monotonic() < deadline, "timed out waiting for " + what)
            self.connection.process_data_events(time_limit=0.05)


class Collector:
    """A consumer callback that keeps what it gets."""

    def __init__(self):
        self.deliveries = []

    def __call__(self, channel, method, properties, body):
        self.deliveries.append((method, properties, body))

    @property
    def bodies(self):
        return [body for _, _, body in self.deliveries]

    @property
    def tags(self):
        return [method.delivery_tag for method, _, _ in self.deliveries]

    def __len__(self):
        return len(self.deliveries)


def parameters_for(uri, **changes):
    parameters = pika.URLParameters(uri)
    parameters.socket_timeout = WAIT_SECONDS
    parameters.blocked_connection_timeout = WAIT_SECONDS
    for name, value in changes.items():
        setattr(parameters, name, value)
    return parameters


@contextlib.contextmanager
def channel_error(session, code, channel=None):
    """The block gets a channel that the broker must close with this code."""
    channel = channel or session.connection.channel()
    try:
        yield channel
        # An error of a method without an answer shows at the next answered one.
        channel.basic_qos(prefetch_count=1)
    except exceptions.ChannelClosedByBroker as error:
        expect_equal(error.reply_code, code, "reply code")
    else:
        raise AssertionError("the broker did not close the channel")
    expect(channel.is_closed, "channel still open")
    expect_usable(session)


def expect_usable(session):
    with_new_channel = session.connection.channel()
    queue = with_new_channel.queue_declare("", exclusive=True).method.queue
    with_new_channel.basic_publish("", queue, b"alive")
    _, _, body = with_new_channel.basic_get(queue, auto_ack=True)
    expect_equal(body, b"alive", "body on a new channel")
    with_new_channel.queue_delete(queue)
    with_new_channel.close()


def exists(session, queue):
    channel = session.connection.channel()
    try:
        channel.queue_declare(queue, passive=True)
    except exceptions.ChannelClosedByBroker as error:
        expect_equal(error.reply_code, 404, "reply code")
        return False
    channel.close()
    return True


# --- queues and consumers ---


@scenario("blocking-work-queue-fair-prefetch")
def work_queue(uri):
    with Session(uri) as session:
        queue = session.queue()
        workers = []
        for _ in range(2):
            channel = session.connection.channel()
            channel.basic_qos(prefetch_count=1)
            collector = Collector()
            channel.basic_consume(queue, collector)
            workers.append((channel, collector))
        for number in range(10):
            session.publish("", queue, b"%d" % number)

        for turn in range(1, 6):
            session.wait_for(lambda: all(len(c) == turn for _, c in workers), "a task for each worker")
            session.expect_ready(queue, 10 - 2 * turn)
            for channel, collector in workers:
                channel.basic_ack(collector.tags[-1])

        done = sorted(body for _, collector in workers for body in collector.bodies)
        expect_equal(done, [b"%d" % number for number in range(10)], "tasks done")


@scenario("blocking-multiple-consumers-one-channel")
def multiple_consumers(uri):
    with Session(uri) as session:
        queues = [session.queue() for _ in range(3)]
        collectors = [Collector() for _ in queues]
        tags = [session.channel.basic_consume(q, c, auto_ack=True) for q, c in zip(queues, collectors)]
        expect_equal(len(set(tags)), 3, "distinct consumer tags")
        for queue in queues:
            session.publish("", queue, queue.encode())
        session.wait_for(lambda: all(len(c) == 1 for c in collectors), "one delivery for each")
        for tag, queue, collector in zip(tags, queues, collectors):
            expect_equal(collector.bodies, [queue.encode()], "bodies")
            expect_equal(collector.deliveries[0][0].consumer_tag, tag, "consumer tag")


@scenario("blocking-qos-per-consumer")
def qos_per_consumer(uri):
    with Session(uri) as session:
        first, second = session.queue(), session.queue()
        for number in range(5):
            session.publish("", first, b"%d" % number)
            session.publish("", second, b"%d" % number)
        few, many = Collector(), Collector()
        session.channel.basic_qos(prefetch_count=1)
        session.channel.basic_consume(first, few)
        session.channel.basic_qos(prefetch_count=3)
        session.channel.basic_consume(second, many)
        session.wait_for(lambda: len(few) >= 1 and len(many) >= 3, "both prefetch windows")
        session.expect_ready(first, 4)
        session.expect_ready(second, 2)


@scenario("blocking-consumer-priority")
def consumer_priority(uri):
    with Session(uri) as session:
        queue = session.queue()
        low, high = Collector(), Collector()
        session.channel.basic_consume(queue, low)
        preferred = session.connection.channel()
        preferred.basic_qos(prefetch_count=2)
        preferred.basic_consume(queue, high, arguments={"x-priority": 10})
        for number in range(4):
            session.publish("", queue, b"%d" % number)
        session.wait_for(lambda: len(low) + len(high) == 4, "all deliveries")
        expect_equal(high.bodies, [b"0", b"1"], "bodies at the preferred consumer")
        expect_equal(low.bodies, [b"2", b"3"], "bodies at the other consumer")


@scenario("blocking-consumer-cancel-by-client")
def cancel_by_client(uri):
    with Session(uri) as session:
        queue = session.queue()
        collector = Collector()
        tag = session.channel.basic_consume(queue, collector)
        session.publish("", queue, b"before")
        session.wait_for(lambda: len(collector) == 1, "the delivery")
        session.channel.basic_cancel(tag)
        session.publish("", queue, b"after")
        expect_equal(session.get(queue), b"after", "body left in the queue")
        # Deliveries made before the cancel are still to be acknowledged after it.
        session.channel.basic_ack(collector.tags[0])
        expect_equal(session.channel.queue_declare(queue, passive=True).method.consumer_count, 0, "consumers")


@scenario("blocking-consumer-cancel-notification")
def cancel_notification(uri):
    with Session(uri) as session:
        queue = session.queue(durable=True)
        cancelled = []
        session.channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        tag = session.channel.basic_consume(queue, Collector())
        session.connection.channel().queue_delete(queue)
        session.wait_for(lambda: cancelled, "basic.cancel")
        expect_equal(cancelled, [tag], "cancelled consumers")
        expect_usable(session)


@scenario("blocking-consume-generator")
def consume_generator(uri):
    with Session(uri) as session:
        queue = session.queue()
        for number in range(3):
            session.publish("", queue, b"%d" % number)
        bodies = []
        for method, _, body in session.channel.consume(queue, inactivity_timeout=WAIT_SECONDS):
            expect(method is not None, "no delivery in time")
            bodies.append(body)
            session.channel.basic_ack(method.delivery_tag)
            if len(bodies) == 3:
                break
        session.channel.cancel()
        expect_equal(bodies, [b"0", b"1", b"2"], "bodies")


@scenario("blocking-basic-get")
def basic_get(uri):
    with Session(uri) as session:
        queue = session.queue()
        expect_equal(session.channel.basic_get(queue), (None, None, None), "answer of an empty queue")
        session.publish("", queue, b"first")
        session.publish("", queue, b"second")
        method, _, body = session.channel.basic_get(queue)
        expect_equal(body, b"first", "body")
        expect_equal(method.message_count, 1, "messages left")
        expect_equal((method.exchange, method.routing_key, method.redelivered), ("", queue, False), "get-ok")
        session.channel.basic_ack(method.delivery_tag)
        expect_equal(session.drain(queue), [b"second"], "bodies left")


@scenario("blocking-nack-requeue-keeps-position")
def nack_requeue(uri):
    with Session(uri) as session:
        queue = session.queue()
        for number in range(3):
            session.publish("", queue, b"%d" % number)
        method, _, body = session.channel.basic_get(queue)
        expect_equal((body, method.redelivered), (b"0", False), "first delivery")
        session.channel.basic_nack(method.delivery_tag, requeue=True)
        seen = []
        for _ in range(3):
            method, _, body = session.channel.basic_get(queue, auto_ack=True)
            seen.append((body, method.redelivered))
        expect_equal(seen, [(b"0", True), (b"1", False), (b"2", False)], "order after the requeue")


@scenario("blocking-nack-multiple-requeue")
def nack_multiple(uri):
    with Session(uri) as session:
        queue = session.queue()
        for number in range(4):
            session.publish("", queue, b"%d" % number)
        tags = [session.channel.basic_get(queue)[0].delivery_tag for _ in range(3)]
        session.channel.basic_nack(tags[1], multiple=True, requeue=True)
        expect_equal(session.drain(queue), [b"0", b"1", b"3"], "bodies back in the queue")
        session.channel.basic_ack(tags[2])


@scenario("blocking-reject-without-requeue")
def reject_without_requeue(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.publish("", queue, b"unwanted")
        session.publish("", queue, b"wanted")
        method, _, _ = session.channel.basic_get(queue)
        session.channel.basic_reject(method.delivery_tag, requeue=False)
        expect_equal(session.drain(queue), [b"wanted"], "bodies left")


@scenario("blocking-basic-recover")
def basic_recover(uri):
    with Session(uri) as session:
        queue = session.queue()
        collector = Collector()
        session.channel.basic_consume(queue, collector)
        for number in range(2):
            session.publish("", queue, b"%d" % number)
        session.wait_for(lambda: len(collector) == 2, "the deliveries")
        session.channel.basic_recover(requeue=True)
        session.wait_for(lambda: len(collector) == 4, "the redeliveries")
        expect_equal(collector.bodies, [b"0", b"1", b"0", b"1"], "bodies")
        expect_equal([m.redelivered for m, _, _ in collector.deliveries], [False, False, True, True], "redelivered")


@scenario("blocking-close-channel-requeues")
def close_channel_requeues(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.publish("", queue, b"unacknowledged")
        session.expect_ready(queue, 1)
        other = session.connection.channel()
        other.basic_get(queue)
        other.close()
        session.expect_ready(queue, 1)
        method, _, body = session.channel.basic_get(queue, auto_ack=True)
        expect_equal((body, method.redelivered), (b"unacknowledged", True), "delivery")


@scenario("blocking-exclusive-queue")
def exclusive_queue(uri):
    with Session(uri) as other:
        with Session(uri) as owner:
            queue = owner.queue(exclusive=True)
            with channel_error(other, 405) as channel:
                channel.queue_declare(queue, passive=True)
            with channel_error(other, 405) as channel:
                channel.basic_consume(queue, Collector())
        expect(not exists(other, queue), "exclusive queue outlived its connection")


@scenario("blocking-auto-delete-queue")
def auto_delete_queue(uri):
    with Session(uri) as session:
        queue = session.queue(durable=True, auto_delete=True)
        expect(exists(session, queue), "queue gone before it had a consumer")
        tag = session.channel.basic_consume(queue, Collector())
        session.channel.basic_cancel(tag)
        session.wait_for(lambda: not exists(session, queue), "the queue to go")


@scenario("blocking-server-named-queue")
def server_named_queue(uri):
    with Session(uri) as session:
        first = session.channel.queue_declare("", exclusive=True).method.queue
        second = session.channel.queue_declare("", exclusive=True).method.queue
        expect(first.startswith("amq.gen-") and second.startswith("amq.gen-"), "names: " + first + ", " + second)
        expect(first != second, "the same name twice")
        # An empty name stands for the channel's last declared queue.
        exchange = session.exchange("fanout")
        session.channel.queue_bind("", exchange, "")
        session.publish(exchange, "", b"to the last")
        expect_equal((session.get(first), session.get(second)), (None, b"to the last"), "bodies")


@scenario("blocking-queue-purge")
def queue_purge(uri):
    with Session(uri) as session:
        queue = session.queue()
        for _ in range(3):
            session.publish("", queue, b"x")
        session.channel.basic_get(queue)
        expect_equal(session.channel.queue_purge(queue).method.message_count, 2, "purged messages")
        expect_equal(session.get(queue), None, "body after the purge")
        session.channel.basic_recover(requeue=True)
        # The purge left the unacknowledged message alone.
        session.expect_ready(queue, 1)


@scenario("blocking-queue-delete-if-unused")
def delete_if_unused(uri):
    with Session(uri) as session:
        queue = session.queue()
        tag = session.channel.basic_consume(queue, Collector())
        with channel_error(session, 406) as channel:
            channel.queue_delete(queue, if_unused=True)
        session.channel.basic_cancel(tag)
        session.channel.queue_delete(queue, if_unused=True)
        expect(not exists(session, queue), "queue still there")


@scenario("blocking-queue-delete-if-empty")
def delete_if_empty(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.publish("", queue, b"x")
        session.expect_ready(queue, 1)
        with channel_error(session, 406) as channel:
            channel.queue_delete(queue, if_empty=True)
        session.get(queue)
        expect_equal(session.channel.queue_delete(queue, if_empty=True).method.message_count, 0, "deleted messages")
        expect(not exists(session, queue), "queue still there")


@scenario("blocking-queue-delete-missing")
def delete_missing(uri):
    with Session(uri) as session:
        answer = session.channel.queue_delete(unique("missing"))
        expect_equal(answer.method.message_count, 0, "deleted messages")


@scenario("blocking-queue-unbind")
def queue_unbind(uri):
    with Session(uri) as session:
        exchange = session.exchange("direct")
        queue = session.bound_queue(exchange, "a", "b")
        session.channel.queue_unbind(queue, exchange, "a")
        session.publish(exchange, "a", b"a")
        session.publish(exchange, "b", b"b")
        expect_equal(session.drain(queue), [b"b"], "bodies")


# --- exchanges ---


@scenario("blocking-publish-subscribe-fanout")
def fanout(uri):
    with Session(uri) as session:
        exchange = session.exchange("fanout")
        queues = [session.bound_queue(exchange, ""), session.bound_queue(exchange, "ignored key")]
        collectors = [Collector() for _ in queues]
        for queue, collector in zip(queues, collectors):
            session.channel.basic_consume(queue, collector, auto_ack=True)
        session.publish(exchange, "any", b"news")
        session.wait_for(lambda: all(len(c) for c in collectors), "the broadcast")
        for collector in collectors:
            expect_equal(collector.bodies, [b"news"], "bodies")
            expect_equal(collector.deliveries[0][0].exchange, exchange, "exchange")


@scenario("blocking-routing-direct")
def direct(uri):
    with Session(uri) as session:
        exchange = session.exchange("direct")
        errors = session.bound_queue(exchange, "error")
        everything = session.bound_queue(exchange, "info", "warning", "error")
        for severity in ("info", "warning", "error", "unknown"):
            session.publish(exchange, severity, severity.encode())
        expect_equal(session.drain(errors), [b"error"], "errors")
        expect_equal(session.drain(everything), [b"info", b"warning", b"error"], "everything")


@scenario("blocking-topics")
def topics(uri):
    keys = ["quick.orange.rabbit", "lazy.orange.elephant", "quick.orange.fox", "lazy.brown.fox",
            "lazy", "quick", "quick.orange.new.rabbit", "", "a..b"]
    patterns = {
        "*.orange.*": keys[0:3],
        "*.*.rabbit": keys[0:1],
        "lazy.#": [keys[1], keys[3], keys[4]],
        "#": keys,
        "*": ["lazy", "quick"],
        "#.rabbit": [keys[0], keys[6]],
        "quick.#.rabbit": [keys[0], keys[6]],
        "a.*.b": ["a..b"],
    }
    with Session(uri) as session:
        exchange = session.exchange("topic")
        queues = {pattern: session.bound_queue(exchange, pattern) for pattern in patterns}
        for key in keys:
            session.publish(exchange, key, key.encode())
        got = {pattern: [body.decode() for body in session.drain(queue)] for pattern, queue in queues.items()}
        expect_equal(got, patterns, "keys by pattern")


@scenario("blocking-headers-exchange")
def headers(uri):
    with Session(uri) as session:
        exchange = session.exchange("headers")
        both = session.bound_queue(exchange, "", arguments={"x-match": "all", "format": "pdf", "pages": 3})
        either = session.bound_queue(exchange, "", arguments={"x-match": "any", "format": "pdf", "pages": 3})
        for name, table in {
            "both": {"format": "pdf", "pages": 3, "more": True},
            "format": {"format": "pdf", "pages": 4},
            "pages": {"pages": 3},
            "none": {"format": "zip"},
        }.items():
            session.publish(exchange, "", name.encode(), pika.BasicProperties(headers=table))
        session.publish(exchange, "", b"no headers")
        expect_equal(session.drain(both), [b"both"], "all")
        expect_equal(session.drain(either), [b"both", b"format", b"pages"], "any")


@scenario("blocking-exchange-to-exchange-binding")
def exchange_to_exchange(uri):
    with Session(uri) as session:
        source, destination = session.exchange("topic"), session.exchange("fanout")
        queue = session.bound_queue(destination, "")
        session.channel.exchange_bind(destination, source, "log.#")
        session.publish(source, "log.error", b"bound")
        session.publish(source, "audit", b"not bound")
        expect_equal(session.drain(queue), [b"bound"], "bodies")
        session.channel.exchange_unbind(destination, source, "log.#")
        session.publish(source, "log.error", b"unbound")
        expect_equal(session.drain(queue), [], "bodies after the unbind")


@scenario("blocking-alternate-exchange")
def alternate_exchange(uri):
    with Session(uri) as session:
        alternate = session.exchange("fanout")
        exchange = session.exchange("direct", arguments={"alternate-exchange": alternate})
        routed, unrouted = session.bound_queue(exchange, "known"), session.bound_queue(alternate, "")
        session.channel.confirm_delivery()
        session.publish(exchange, "known", b"known", mandatory=True)
        session.publish(exchange, "unknown", b"unknown", mandatory=True)
        expect_equal(session.drain(routed), [b"known"], "routed bodies")
        expect_equal(session.drain(unrouted), [b"unknown"], "bodies of the alternate exchange")


@scenario("blocking-exchange-delete-if-unused")
def exchange_delete_if_unused(uri):
    with Session(uri) as session:
        exchange = session.exchange("fanout")
        queue = session.bound_queue(exchange, "")
        with channel_error(session, 406) as channel:
            channel.exchange_delete(exchange, if_unused=True)
        session.channel.queue_unbind(queue, exchange, "")
        session.channel.exchange_delete(exchange, if_unused=True)
        with channel_error(session, 404) as channel:
            channel.exchange_declare(exchange, passive=True)


@scenario("blocking-exchange-auto-delete")
def exchange_auto_delete(uri):
    with Session(uri) as session:
        exchange = session.exchange("fanout", auto_delete=True)
        queue = session.bound_queue(exchange, "")
        session.channel.queue_unbind(queue, exchange, "")
        with channel_error(session, 404) as channel:
            channel.exchange_declare(exchange, passive=True)


# --- rpc ---


@scenario("blocking-rpc-exclusive-reply-queue")
def rpc_exclusive_reply_queue(uri):
    with Session(uri) as server, Session(uri) as client:
        requests = server.queue(durable=True)
        serve_squares(server, requests)
        replies = client.channel.queue_declare("", exclusive=True).method.queue
        answers = Collector()
        client.channel.basic_consume(replies, answers, auto_ack=True)
        call_squares(server, client, requests, replies, answers)


@scenario("blocking-rpc-direct-reply-to")
def rpc_direct_reply_to(uri):
    with Session(uri) as server, Session(uri) as client:
        requests = server.queue(durable=True)
        serve_squares(server, requests)
        answers = Collector()
        client.channel.basic_consume(DIRECT_REPLY_TO, answers, auto_ack=True)
        call_squares(server, client, requests, DIRECT_REPLY_TO, answers)


def serve_squares(server, requests):
    def answer(channel, method, properties, body):
        expect(properties.reply_to, "request without reply-to")
        reply = pika.BasicProperties(correlation_id=properties.correlation_id)
        channel.basic_publish("", properties.reply_to, b"%d" % (int(body) ** 2), reply)
        channel.basic_ack(method.delivery_tag)

    server.channel.basic_consume(requests, answer)


def call_squares(server, client, requests, reply_to, answers):
    for number in range(3):
        request = pika.BasicProperties(reply_to=reply_to, correlation_id="call-%d" % number)
        client.publish("", requests, b"%d" % number, request)
    deadline = time.monotonic() + WAIT_SECONDS
    while len(answers) < 3:
        expect(time.monotonic() < deadline, "timed out waiting for the answers")
        server.connection.process_data_events(time_limit=0.02)
        client.connection.process_data_events(time_limit=0.02)
    got = {properties.correlation_id: body for _, properties, body in answers.deliveries}
    expect_equal(got, {"call-0": b"0", "call-1": b"1", "call-2": b"4"}, "answers")


@scenario("blocking-direct-reply-to-without-consumer")
def direct_reply_to_without_consumer(uri):
    with Session(uri) as session:
        queue = session.queue()
        with channel_error(session, 406) as channel:
            channel.basic_publish("", queue, b"x", pika.BasicProperties(reply_to=DIRECT_REPLY_TO))


@scenario("blocking-direct-reply-to-needs-no-ack")
def direct_reply_to_needs_no_ack(uri):
    with Session(uri) as session:
        with channel_error(session, 406) as channel:
            channel.basic_consume(DIRECT_REPLY_TO, Collector(), auto_ack=False)


# --- confirms, returns, transactions ---


@scenario("blocking-confirm-single")
def confirm_single(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.channel.confirm_delivery()
        for number in range(20):
            session.publish("", queue, b"%d" % number)
        # Confirmed means enqueued, so another channel sees all of them.
        depth = session.connection.channel().queue_declare(queue, passive=True).method.message_count
        expect_equal(depth, 20, "messages seen on another channel")


@scenario("blocking-confirm-unroutable")
def confirm_unroutable(uri):
    with Session(uri) as session:
        session.channel.confirm_delivery()
        # Unroutable without mandatory is dropped, and confirmed all the same.
        session.publish("", unique("missing"), b"dropped")


@scenario("blocking-mandatory-return-before-confirm")
def mandatory_with_confirm(uri):
    with Session(uri) as session:
        session.channel.confirm_delivery()
        missing = unique("missing")
        try:
            # pika raises only when the return came before the ack.
            session.publish("", missing, b"lost", pika.BasicProperties(message_id="m1"), mandatory=True)
        except exceptions.UnroutableError as error:
            (returned,) = error.messages
            expect_equal((returned.method.reply_code, returned.method.reply_text), (312, "NO_ROUTE"), "reply")
            expect_equal((returned.method.exchange, returned.method.routing_key), ("", missing), "address")
            expect_equal((returned.body, returned.properties.message_id), (b"lost", "m1"), "content")
        else:
            raise AssertionError("confirmed without a return")


@scenario("blocking-mandatory-return")
def mandatory_without_confirm(uri):
    with Session(uri) as session:
        returned = []
        session.channel.add_on_return_callback(lambda *arguments: returned.append(arguments))
        session.publish(session.exchange("direct"), "nowhere", b"lost", mandatory=True)
        session.wait_for(lambda: returned, "basic.return")
        _, method, _, body = returned[0]
        expect_equal((method.reply_code, body), (312, b"lost"), "return")


@scenario("blocking-tx-commit")
def tx_commit(uri):
    with Session(uri) as session, Session(uri) as observer:
        queue = session.queue(durable=True)
        session.publish("", queue, b"task")
        session.channel.tx_select()
        method, _, _ = session.channel.basic_get(queue)
        session.channel.basic_ack(method.delivery_tag)
        session.publish("", queue, b"result")
        session.channel.queue_declare(queue, passive=True)
        expect_equal(observer.get(queue), None, "body seen before the commit")
        session.channel.tx_commit()
        expect_equal(observer.drain(queue), [b"result"], "bodies seen after the commit")


@scenario("blocking-tx-rollback")
def tx_rollback(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.publish("", queue, b"task")
        session.channel.tx_select()
        method, _, _ = session.channel.basic_get(queue)
        session.channel.basic_ack(method.delivery_tag)
        session.publish("", queue, b"result")
        session.channel.tx_rollback()
        session.channel.tx_commit()
        expect_equal(session.ready(queue), 0, "messages after the rollback")
        # The rolled back ack leaves the message unacknowledged, to be recovered.
        session.channel.basic_recover(requeue=True)
        expect_equal(session.drain(queue), [b"task"], "bodies after the recover")


@scenario("blocking-tx-commit-without-select")
def tx_without_select(uri):
    with Session(uri) as session:
        with channel_error(session, 406) as channel:
            channel.tx_commit()


@scenario("blocking-tx-and-confirm-exclude-each-other")
def tx_and_confirm(uri):
    with Session(uri) as session:
        with channel_error(session, 406) as channel:
            channel.confirm_delivery()
            channel.tx_select()


# --- errors ---


@scenario("blocking-error-passive-declare-missing")
def passive_missing(uri):
    with Session(uri) as session:
        with channel_error(session, 404) as channel:
            channel.queue_declare(unique("missing"), passive=True)
        with channel_error(session, 404) as channel:
            channel.exchange_declare(unique("missing"), passive=True)


@scenario("blocking-error-publish-missing-exchange")
def publish_missing_exchange(uri):
    with Session(uri) as session:
        with channel_error(session, 404) as channel:
            channel.basic_publish(unique("missing"), "key", b"x")


@scenario("blocking-error-missing-queue")
def missing_queue(uri):
    with Session(uri) as session:
        missing = unique("missing")
        for use in (
            lambda channel: channel.basic_consume(missing, Collector()),
            lambda channel: channel.basic_get(missing),
            lambda channel: channel.queue_purge(missing),
            lambda channel: channel.queue_bind(missing, "amq.direct", "key"),
        ):
            with channel_error(session, 404) as channel:
                use(channel)


@scenario("blocking-error-bind-missing-exchange")
def bind_missing_exchange(uri):
    with Session(uri) as session:
        queue = session.queue()
        with channel_error(session, 404) as channel:
            channel.queue_bind(queue, unique("missing"), "key")


@scenario("blocking-error-reserved-names")
def reserved_names(uri):
    with Session(uri) as session:
        with channel_error(session, 403) as channel:
            channel.queue_declare("amq." + unique("queue"), exclusive=True)
        with channel_error(session, 403) as channel:
            channel.exchange_declare("amq." + unique("exchange"), exchange_type="direct")


@scenario("blocking-error-default-exchange")
def default_exchange(uri):
    with Session(uri) as session:
        queue = session.queue()
        for use in (
            lambda channel: channel.exchange_declare("", exchange_type="direct"),
            lambda channel: channel.queue_bind(queue, "", "key"),
        ):
            with channel_error(session, 403) as channel:
                use(channel)


@scenario("blocking-error-inequivalent-argument")
def inequivalent(uri):
    with Session(uri) as session:
        queue, exchange = session.queue(durable=True, auto_delete=True), session.exchange("direct")
        for use in (
            lambda channel: channel.queue_declare(queue, durable=True, auto_delete=False),
            lambda channel: channel.queue_declare(
                queue, durable=True, auto_delete=True, arguments={"x-max-length": 5}),
            lambda channel: channel.exchange_declare(exchange, exchange_type="fanout"),
            lambda channel: channel.exchange_declare(exchange, exchange_type="direct", durable=True),
        ):
            with channel_error(session, 406) as channel:
                use(channel)
        session.channel.queue_declare(queue, durable=True, auto_delete=True)
        session.channel.exchange_declare(exchange, exchange_type="direct")


@scenario("blocking-error-unknown-delivery-tag")
def unknown_delivery_tag(uri):
    with Session(uri) as session:
        for settle in ("basic_ack", "basic_nack", "basic_reject"):
            with channel_error(session, 406) as channel:
                getattr(channel, settle)(42)


@scenario("blocking-error-double-ack")
def double_ack(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.publish("", queue, b"x")
        session.expect_ready(queue, 1)
        with channel_error(session, 406) as channel:
            method, _, _ = channel.basic_get(queue)
            channel.basic_ack(method.delivery_tag)
            channel.basic_ack(method.delivery_tag)


@scenario("blocking-error-exclusive-consumer")
def exclusive_consumer(uri):
    with Session(uri) as session:
        queue = session.queue()
        session.channel.basic_consume(queue, Collector(), exclusive=True)
        with channel_error(session, 403) as channel:
            channel.basic_consume(queue, Collector())


@scenario("blocking-channel-reopened-same-number")
def channel_reopened(uri):
    with Session(uri) as session:
        queue = session.queue()
        with channel_error(session, 404, session.connection.channel(7)) as channel:
            channel.queue_declare(unique("missing"), passive=True)
        again = session.connection.channel(7)
        again.basic_publish("", queue, b"again")
        expect_equal(again.basic_get(queue, auto_ack=True)[2], b"again", "body on the reopened channel")
        again.close()
        session.connection.channel(7).close()


# --- contents ---


@scenario("blocking-body-sizes")
def body_sizes(uri):
    frame_max = 8192
    with Session(uri, frame_max=frame_max) as session:
        queue = session.queue()
        for size in (0, 1, frame_max - 8, frame_max - 7, 2 * frame_max):
            round_trip_body(session, queue, size)


@scenario("blocking-body-10-mib")
def body_10_mib(uri):
    with Session(uri) as session:
        queue = session.queue()
        round_trip_body(session, queue, 10 * 1024 * 1024)


def round_trip_body(session, queue, size):
    body = os.urandom(size)
    session.publish("", queue, body)
    got = session.get(queue)
    expect(got == body, "a body of {} bytes came back as {}".format(size, None if got is None else len(got)))


@scenario("blocking-properties-round-trip")
def properties_round_trip(uri):
    sent = {
        "content_type": "text/plain",
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "priority": 7,
        "correlation_id": "correlation ☃",
        "reply_to": "reply",
        "message_id": "m" * 255,
        "timestamp": 1700000000,
        "type": "type",
        "app_id": "app",
    }
    with Session(uri) as session:
        sent["user_id"] = session.parameters.credentials.username
        queue = session.queue()
        session.publish("", queue, b"x", pika.BasicProperties(**sent))
        _, got, _ = session.channel.basic_get(queue, auto_ack=True)
        expect_equal({name: getattr(got, name) for name in sent}, sent, "properties")
        expect_equal(got.headers, None, "headers never sent")
        session.publish("", queue, b"x")
        _, got, _ = session.channel.basic_get(queue, auto_ack=True)
        expect_equal({getattr(got, name) for name in sent}, {None}, "properties never sent")


@scenario("blocking-header-types-round-trip")
def header_types_round_trip(uri):
    sent = {
        "string": "text ☃",
        "empty string": "",
        "bytes": b"\x00\xff",
        "true": True,
        "false": False,
        "int": -(2 ** 31),
        "long": 2 ** 62,
        "decimal": decimal.Decimal("3.14"),
        "timestamp": datetime.datetime(2023, 11, 14, 22, 13, 20),
        "void": None,
        "table": {"nested": {"deep": 1}, "empty": {}},
        "array": [1, "two", [3, {"four": 4}], None, True],
        "empty array": [],
    }
    with Session(uri) as session:
        queue = session.queue()
        session.publish("", queue, b"x", pika.BasicProperties(headers=sent))
        _, got, _ = session.channel.basic_get(queue, auto_ack=True)
        expect_equal(got.headers, sent, "headers")


@scenario("blocking-error-user-id-mismatch")
def user_id_mismatch(uri):
    with Session(uri) as session:
        queue = session.queue()
        with channel_error(session, 406) as channel:
            channel.basic_publish("", queue, b"x", pika.BasicProperties(user_id="somebody-else"))


# --- connections ---


@scenario("blocking-thousand-channels")
def thousand_channels(uri):
    with Session(uri) as session:
        queue = session.queue()
        channels = [session.connection.channel() for _ in range(1000)]
        for channel in channels:
            channel.basic_publish("", queue, b"x")
        session.expect_ready(queue, 1000)


@scenario("blocking-wrong-password")
def wrong_password(uri):
    user = pika.URLParameters(uri).credentials.username
    parameters = parameters_for(uri, credentials=pika.PlainCredentials(user, "wrong " + unique("password")))
    try:
        pika.BlockingConnection(parameters)
    except exceptions.ProbableAuthenticationError as error:
        expect("403" in str(error) and "ACCESS_REFUSED" in str(error), "cause: " + str(error))
    else:
        raise AssertionError("connected with a wrong password")


@scenario("blocking-unknown-virtual-host")
def unknown_virtual_host(uri):
    try:
        pika.BlockingConnection(parameters_for(uri, virtual_host=unique("vhost")))
    except exceptions.ProbableAccessDeniedError as error:
        expect("530" in str(error) and "NOT_ALLOWED" in str(error), "cause: " + str(error))
    else:
        raise AssertionError("connected to a missing virtual host")


@scenario("blocking-connection-close")
def connection_close(uri):
    connection = pika.BlockingConnection(parameters_for(uri))
    channels = [connection.channel() for _ in range(3)]
    connection.close(200, "done")
    expect(connection.is_closed, "connection not closed")
    expect(all(channel.is_closed for channel in channels), "channels not closed")
