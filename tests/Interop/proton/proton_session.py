"""What the scenarios share: a 1.0 connection of Proton, beside a 0-9-1 connection of pika that declares and looks."""

import functools
import time
import urllib.parse

import pika
from proton import ConnectionException, Delivery, Endpoint, Message, Timeout
from proton.handlers import MessagingHandler
from proton.reactor import Container
from proton.utils import BlockingConnection, LinkDetached

from interop_harness import expect, expect_equal, scenario, unique

WAIT_SECONDS = 8


def queue_address(queue):
    return "/queues/" + urllib.parse.quote(queue, safe="")


def exchange_address(exchange, key=None):
    address = "/exchanges/" + urllib.parse.quote(exchange, safe="")
    return address if key is None else address + "/" + urllib.parse.quote(key, safe="")


def connection_options(uri, **changes):
    """What proton.Container.connect takes for the URI of a 0-9-1 client, which names the virtual host in its path."""
    parsed = urllib.parse.urlsplit(uri)
    options = {
        "url": "{}:{}".format(parsed.hostname, parsed.port or 5672),
        "user": urllib.parse.unquote(parsed.username or "guest"),
        "password": urllib.parse.unquote(parsed.password or "guest"),
        "allowed_mechs": "PLAIN",
    }
    virtual_host = urllib.parse.unquote(parsed.path[1:]) or "/"
    if virtual_host != "/":
        options["virtual_host"] = "vhost:" + virtual_host
    return {**options, **changes}


class Connection(BlockingConnection):
    """Ends a wait also when the broker ends a session; Proton's own would wait on."""

    def on_session_remote_close(self, event):
        if event.session.remote_condition and not self.closing:
            raise ConnectionException("session ended: {}".format(event.session.remote_condition))


def connect(uri, container=None, **changes):
    options = connection_options(uri, **changes)
    return Connection(timeout=WAIT_SECONDS, container=container, **options)


def close(connection):
    try:
        connection.close()
    except (ConnectionException, Timeout):
        pass  # It ended by itself, which the scenario has judged.


class Session:
    """A connection of each protocol; what it declares is deleted when it ends."""

    def __init__(self, uri, **changes):
        self.uri = uri
        self.admin = pika.BlockingConnection(pika.URLParameters(uri))
        self.channel = self.admin.channel()
        self._queues = []
        self._exchanges = []
        self._connections = []
        try:
            self.connection = self.connect(**changes)
        except BaseException:
            self.admin.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self._connections:
            close(connection)
        cleaner = self.admin.channel()
        for queue in self._queues:
            cleaner.queue_delete(queue)
        for exchange in self._exchanges:
            cleaner.exchange_delete(exchange)
        self.admin.close()

    @property
    def user(self):
        return connection_options(self.uri)["user"]

    def connect(self, container_id=None, **changes):
        container = Container()
        container.container_id = container_id or unique("container")
        connection = connect(self.uri, container, **changes)
        self._connections.append(connection)
        return connection

    def queue(self, name=None, kind=None, arguments=None):
        """Durable and not exclusive: an exclusive queue belongs to the connection that declares it."""
        name = name or unique("queue")
        arguments = dict(arguments or {}, **({"x-queue-type": kind} if kind else {}))
        self.channel.queue_declare(name, durable=True, arguments=arguments)
        self._queues.append(name)
        return name

    def queue_with_graveyard(self, kind=None):
        graveyard = self.queue()
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": graveyard}
        return self.queue(kind=kind, arguments=arguments), graveyard

    def exchange(self, kind):
        name = unique(kind)
        self.channel.exchange_declare(name, exchange_type=kind)
        self._exchanges.append(name)
        return name

    def bound_queue(self, exchange, *keys):
        queue = self.queue()
        for key in keys:
            self.channel.queue_bind(queue, exchange, key)
        return queue

    def sender(self, address, connection=None, name=None, **options):
        # The name that Proton would make is the same for every sender to an address.
        return (connection or self.connection).create_sender(address, name=name or unique("link"), **options)

    def receiver(self, address, credit=0, connection=None, **options):
        return ReceivingLink(connection or self.connection, address, credit, **options)

    def fill(self, queue, *bodies, connection=None):
        sender = self.sender(queue_address(queue), connection)
        for body in bodies:
            sender.send(Message(body=body, durable=True))
        sender.close()

    def flush(self):
        """Proton writes only while it processes events; what was settled may not have left yet."""
        for connection in self._connections:
            transport = connection.conn and connection.conn.transport
            if transport:
                connection.wait(lambda: transport.pending() <= 0, msg="the socket to take what is to be sent")

    def ready(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def expect_ready(self, queue, count):
        """Counts may lag behind what 1.0 connections were told, so this waits for the count."""
        self.flush()
        deadline = time.monotonic() + WAIT_SECONDS
        while self.ready(queue) != count:
            expect(time.monotonic() < deadline, "{} ready messages, found {}".format(count, self.ready(queue)))
            self.admin.process_data_events(time_limit=0.02)

    def get(self, queue):
        """The next message as 0-9-1 sees it: its properties and its body. Waits for it."""
        self.flush()
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method:
                return properties, body
            expect(time.monotonic() < deadline, "a message in " + queue)
            self.admin.process_data_events(time_limit=0.02)


class Inbox(MessagingHandler):
    """Keeps what one link receives, and settles nothing by itself."""

    def __init__(self):
        super().__init__(prefetch=0, auto_accept=False, auto_settle=False)
        self.received = []
        self.closed_with = None
        self.detached = False

    def on_message(self, event):
        self.received.append((event.message, event.delivery))

    def on_link_remote_detach(self, event):
        self.closed_with = event.link.remote_condition
        self.detached = True

    def on_link_remote_close(self, event):
        self.closed_with = event.link.remote_condition
        self.detached = True
        event.link.close()

    def on_link_error(self, event):
        """Proton's own closes the connection."""


class ReceivingLink:
    """A receiving link whose credit and settlement are the scenario's own."""

    def __init__(self, connection, address, credit=0, parent=None, name=None, dynamic=False, options=None):
        self.connection = connection
        self.inbox = Inbox()
        self.link = connection.container.create_receiver(
            parent or connection.conn, address, name=name or unique("link"), dynamic=dynamic, handler=self.inbox,
            options=options)
        connection.wait(lambda: not self.link.state & Endpoint.REMOTE_UNINIT, msg="the answer to attach")
        if self.link.remote_source.address is None:
            # A refusal: attach without a source, then detach with the error (1.0 part 2, section 2.6.3).
            self.wait_for(lambda: self.link.state & Endpoint.REMOTE_CLOSED, "detach of the refused link")
            raise LinkDetached(self.link)
        if credit:
            self.link.flow(credit)

    @property
    def messages(self):
        return [message for message, _ in self.inbox.received]

    @property
    def bodies(self):
        return [message.body for message, _ in self.inbox.received]

    @property
    def deliveries(self):
        return [delivery for _, delivery in self.inbox.received]

    @property
    def filters(self):
        """What the broker says is in effect."""
        data = self.link.remote_source.filter
        data.rewind()
        return (data.get_object() if data.next() else None) or {}

    def wait_for(self, condition, what):
        self.connection.wait(condition, msg=what)

    def take(self, count):
        """Waits until count messages were received since the last take, and returns them with their deliveries."""
        self.wait_for(lambda: len(self.inbox.received) >= count, "{} messages, got {}".format(count, self.bodies))
        expect_equal(len(self.inbox.received), count, "messages received")
        taken, self.inbox.received = self.inbox.received, []
        return taken

    def receive(self, credit=1):
        """One message more, with credit for it."""
        if credit:
            self.link.flow(credit)
        return self.take(1)[0]

    def drain(self, credit):
        """Gives credit that the broker must use up or return at once."""
        self.link.drain(credit)
        self.wait_for(lambda: not self.link.draining(), "the end of drain")

    def close(self):
        self.link.close()
        self.wait_for(lambda: not self.link.state & Endpoint.REMOTE_ACTIVE, "detach")

    def detach(self):
        self.link.detach()
        self.wait_for(lambda: self.inbox.detached, "detach")


def annotations(message):
    return message.annotations or {}


def settle(delivery, state):
    delivery.update(state)
    delivery.settle()


def accept(delivery):
    settle(delivery, Delivery.ACCEPTED)


def modify(delivery, failed=False, undeliverable=False, annotations=None):
    delivery.local.failed = failed
    delivery.local.undeliverable = undeliverable
    if annotations:
        delivery.local.annotations = annotations
    settle(delivery, Delivery.MODIFIED)


def expect_refused(condition, use):
    try:
        use()
    except LinkDetached as error:
        expect_equal(error.condition, condition, "error condition of " + str(error))
    else:
        raise AssertionError("the broker did not refuse the link")


def using(name, **changes):
    """A scenario that gets a Session."""
    def register(function):
        @scenario(name)
        @functools.wraps(function)
        def run(uri):
            with Session(uri, **changes) as session:
                function(session)

        return run

    return register
