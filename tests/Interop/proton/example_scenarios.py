"""The examples that come with Proton's Python binding, as a user would copy them."""

from proton import Message
from proton.handlers import MessagingHandler, TransactionHandler
from proton.reactor import Container, Selector
from proton.utils import SyncRequestResponse

from interop_harness import expect, expect_equal
from proton_session import connection_options, queue_address, using

COUNT = 100


class Example(MessagingHandler):
    """An example's handler, run on a container of its own until it closes its connection."""

    def __init__(self, session, address, **options):
        super().__init__(**options)
        self.uri = session.uri
        self.address = address
        self.errors = []

    def connect(self, event):
        return event.container.connect(reconnect=False, **connection_options(self.uri))

    def on_transport_error(self, event):
        self.errors.append(event.transport.condition)

    def on_link_error(self, event):
        self.errors.append(event.link.remote_condition)
        event.connection.close()

    def on_rejected(self, event):
        self.errors.append(event.delivery.remote.condition)
        event.connection.close()

    def on_session_error(self, event):
        self.errors.append(event.session.remote_condition)
        event.connection.close()

    def on_connection_error(self, event):
        self.errors.append(event.connection.remote_condition)
        event.connection.close()

    def run(self):
        Container(self).run()
        expect_equal(self.errors, [], "errors")
        return self


class Send(Example):
    def __init__(self, session, address, count=COUNT, properties=None):
        super().__init__(session, address)
        self.properties = properties or (lambda number: None)
        self.sent = 0
        self.confirmed = 0
        self.total = count

    def on_start(self, event):
        event.container.create_sender(self.connect(event), self.address)

    def on_sendable(self, event):
        while event.sender.credit and self.sent < self.total:
            event.sender.send(Message(id=self.sent + 1, body={"sequence": self.sent + 1}, properties=self.properties(self.sent)))
            self.sent += 1

    def on_accepted(self, event):
        self.confirmed += 1
        if self.confirmed == self.total:
            event.connection.close()


class Receive(Example):
    def __init__(self, session, address, count=COUNT, options=None):
        super().__init__(session, address)
        self.options = options
        self.expected = count
        self.received = []

    def on_start(self, event):
        event.container.create_receiver(self.connect(event), self.address, options=self.options)

    def on_message(self, event):
        self.received.append(event.message.body["sequence"])
        if len(self.received) == self.expected:
            event.receiver.close()
            event.connection.close()


class Server(Example):
    """server.py: it answers on the anonymous terminus, to the dynamic node that the request names."""

    def on_start(self, event):
        self.connection = self.connect(event)
        self.receiver = event.container.create_receiver(self.connection, self.address)
        self.replies = event.container.create_sender(self.connection, None)

    def on_message(self, event):
        request = event.message
        self.replies.send(Message(
            address=request.reply_to, body=request.body.upper(), correlation_id=request.correlation_id))


class Client(Example):
    """client.py."""

    def __init__(self, session, address, requests):
        super().__init__(session, address)
        self.requests = list(requests)
        self.answers = []

    def on_start(self, event):
        connection = self.connect(event)
        self.sender = event.container.create_sender(connection, self.address)
        self.receiver = event.container.create_receiver(connection, None, dynamic=True)

    def next_request(self):
        if self.receiver.remote_source.address:
            self.sender.send(Message(reply_to=self.receiver.remote_source.address, body=self.requests[len(self.answers)]))

    def on_link_opened(self, event):
        if event.receiver == self.receiver:
            self.next_request()

    def on_message(self, event):
        self.answers.append(event.message.body)
        if len(self.answers) < len(self.requests):
            self.next_request()
        else:
            event.connection.close()
            event.container.stop()


class TransactionalSend(Example, TransactionHandler):
    """tx_send.py: batches, of which every second one is aborted."""

    def __init__(self, session, address, messages, batch_size):
        super().__init__(session, address)
        self.current_batch = 0
        self.batches = 0
        self.committed = 0
        self.confirmed = 0
        self.total = messages
        self.sent = 0
        self.batch_size = batch_size
        self.transaction = None

    def on_start(self, event):
        self.container = event.container
        self.connection = self.connect(event)
        self.sender = self.container.create_sender(self.connection, self.address)
        self.container.declare_transaction(self.connection, handler=self)

    def on_transaction_declared(self, event):
        self.transaction = event.transaction
        self.send()

    def on_sendable(self, event):
        if event.sender == self.sender:
            self.send()

    def send(self):
        while self.transaction and self.sender.credit and self.committed + self.current_batch < self.total:
            self.transaction.send(self.sender, Message(id=self.sent, body={"sequence": self.committed + self.current_batch}))
            self.sent += 1
            self.current_batch += 1
            if self.current_batch == self.batch_size:
                self.discharge()

    def discharge(self):
        if self.batches % 2 == 0:
            self.transaction.commit()
        else:
            self.transaction.abort()
        self.batches += 1
        self.transaction = None

    def on_transaction_committed(self, event):
        self.committed += self.current_batch
        self.again(event)

    def on_transaction_aborted(self, event):
        self.again(event)

    def again(self, event):
        self.current_batch = 0
        if self.committed == self.total:
            event.connection.close()
        else:
            self.container.declare_transaction(self.connection, handler=self)

    def on_transaction_declare_failed(self, event):
        self.errors.append("declare failed: {}".format(event.delivery.remote.condition))
        event.connection.close()

    def on_transaction_commit_failed(self, event):
        self.errors.append("commit failed: {}".format(event.delivery.remote.condition))
        event.connection.close()


class TransactionalReceive(Example, TransactionHandler):
    """tx_recv.py: every second batch is aborted, and its messages come again."""

    def __init__(self, session, address, messages, batch_size):
        super().__init__(session, address, prefetch=0, auto_accept=False)
        self.batch = []
        self.batches = 0
        self.committed = []
        self.total = messages
        self.batch_size = batch_size

    def on_start(self, event):
        self.container = event.container
        self.connection = self.connect(event)
        self.receiver = self.container.create_receiver(self.connection, self.address)
        self.container.declare_transaction(self.connection, handler=self, settle_before_discharge=True)

    def on_transaction_declared(self, event):
        self.transaction = event.transaction
        self.receiver.flow(self.batch_size)

    def on_message(self, event):
        self.transaction.accept(event.delivery)
        self.batch.append(event.message.body["sequence"])
        if len(self.batch) < self.batch_size:
            return
        if self.batches % 2 == 0:
            self.transaction.abort()
        else:
            self.transaction.commit()
        self.batches += 1

    def on_transaction_committed(self, event):
        self.committed += self.batch
        self.again(event)

    def on_transaction_aborted(self, event):
        self.again(event)

    def again(self, event):
        self.batch = []
        if len(self.committed) == self.total:
            event.connection.close()
        else:
            self.container.declare_transaction(self.connection, handler=self, settle_before_discharge=True)

    def on_transaction_declare_failed(self, event):
        self.errors.append("declare failed: {}".format(event.delivery.remote.condition))
        event.connection.close()

    def on_transaction_commit_failed(self, event):
        self.errors.append("commit failed: {}".format(event.delivery.remote.condition))
        event.connection.close()


@using("example-simple-send-and-receive")
def example_simple_send_and_receive(session):
    queue = session.queue()
    send = Send(session, queue_address(queue)).run()
    expect_equal(send.confirmed, COUNT, "messages accepted")
    session.expect_ready(queue, COUNT)
    receive = Receive(session, queue_address(queue)).run()
    expect_equal(receive.received, list(range(1, COUNT + 1)), "sequence")
    session.expect_ready(queue, 0)


@using("example-plain-queue-name")
def example_plain_queue_name(session):
    """The address of Proton's examples is the bare name of a queue."""
    queue = session.queue()
    Send(session, queue).run()
    receive = Receive(session, queue).run()
    expect_equal(len(receive.received), COUNT, "messages received")


@using("example-selected-receive")
def example_selected_receive(session):
    queue = session.queue()
    Send(session, queue_address(queue), properties=lambda number: {"colour": ("red", "green")[number % 2]}).run()
    greens = Receive(session, queue_address(queue), COUNT // 2, Selector("colour = 'green'")).run()
    expect_equal(greens.received, list(range(2, COUNT + 1, 2)), "selected sequence")
    session.expect_ready(queue, COUNT // 2)


@using("example-request-and-response")
def example_request_and_response(session):
    queue = session.queue()
    server = Server(session, queue_address(queue))
    client = Client(session, queue_address(queue), ["Twas brillig", "and the slithy toves", "did gire and gymble"])
    container = Container(server)
    container.start()
    container.process()
    # Both in one container, as there is one thread: the client's events go to its own handler.
    client.connect = lambda event: container.connect(handler=client, reconnect=False, **connection_options(session.uri))
    event = type("Start", (), {"container": container})
    client.on_start(event)
    while len(client.answers) < len(client.requests):
        container.process()
        expect_equal(server.errors + client.errors, [], "errors")
    server.connection.close()
    expect_equal(client.answers, [request.upper() for request in client.requests], "answers")


@using("example-sync-client")
def example_sync_client(session):
    """sync_client.py, with its server on the same container."""
    queue = session.queue()
    server = Server(session, queue_address(queue))
    container = session.connection.container
    server.connect = lambda event: container.connect(handler=server, reconnect=False, **connection_options(session.uri))
    server.on_start(type("Start", (), {"container": container}))
    client = SyncRequestResponse(session.connection, queue_address(queue))
    for request in ("one", "two", "three"):
        expect_equal(client.call(Message(body=request)).body, request.upper(), "answer")
    expect(client.reply_to, "a dynamic address")
    server.connection.close()


@using("example-transactional-send")
def example_transactional_send(session):
    queue = session.queue()
    send = TransactionalSend(session, queue_address(queue), messages=15, batch_size=5).run()
    expect_equal((send.sent, send.committed), (25, 15), "messages sent and committed")
    receive = Receive(session, queue_address(queue), 15).run()
    expect_equal(receive.received, list(range(15)), "committed messages")
    session.expect_ready(queue, 0)


@using("example-transactional-receive")
def example_transactional_receive(session):
    queue = session.queue()
    Send(session, queue_address(queue), 10).run()
    receive = TransactionalReceive(session, queue_address(queue), messages=10, batch_size=5).run()
    expect_equal((receive.batches, sorted(receive.committed)), (4, list(range(1, 11))), "batches and committed messages")
    session.expect_ready(queue, 0)
