"""Local transactions on a coordinator (1.0 part 4)."""

from proton import Delivery, Message
from proton.handlers import TransactionHandler

from interop_harness import expect, expect_equal
from proton_session import close, queue_address, using


class Discharge(TransactionHandler):
    """Keeps what became of a transaction."""

    def __init__(self):
        super().__init__()
        self.transaction = None
        self.end = None

    def on_transaction_declared(self, event):
        self.transaction = event.transaction

    def on_transaction_declare_failed(self, event):
        self.end = "declare-failed"

    def on_transaction_committed(self, event):
        self.end = "committed"

    def on_transaction_aborted(self, event):
        self.end = "aborted"

    def on_transaction_commit_failed(self, event):
        self.end = "commit-failed"
        self.condition = event.delivery.remote.condition


class Transaction:
    """A transaction on a connection's default session; each call waits for the broker."""

    def __init__(self, connection, settle_first=False):
        self.connection = connection
        self.handler = Discharge()
        connection.container.declare_transaction(connection.conn, self.handler, settle_first)
        connection.wait(lambda: self.handler.transaction or self.handler.end, msg="declared")
        expect_equal(self.handler.end, None, "an end before the declaration")
        expect(self.handler.transaction.id, "a transaction id")

    @property
    def transaction(self):
        return self.handler.transaction

    def send(self, sender, body):
        """The broker may answer a transactional transfer at once or with the discharge."""
        return self.transaction.send(sender.link, Message(body=body, durable=True))

    def accept(self, delivery):
        self.transaction.accept(delivery)

    def commit(self, expected="committed"):
        self.transaction.commit()
        self._ends(expected)

    def abort(self):
        self.transaction.abort()
        self._ends("aborted")

    def _ends(self, expected):
        self.connection.wait(lambda: self.handler.end, msg="the outcome of discharge")
        expect_equal(self.handler.end, expected, "the end of the transaction")


def with_credit(sender):
    sender.connection.wait(lambda: sender.link.credit, msg="credit")
    return sender


@using("transaction-commits-sends")
def transaction_commits_sends(session):
    queue = session.queue()
    sender = with_credit(session.sender(queue_address(queue)))
    transaction = Transaction(session.connection)
    sent = [transaction.send(sender, number) for number in range(3)]
    session.expect_ready(queue, 0)
    transaction.commit()
    session.expect_ready(queue, 3)
    session.connection.wait(lambda: all(delivery.settled for delivery in sent), msg="settlement of the transfers")
    receiver = session.receiver(queue_address(queue), credit=3)
    expect_equal([message.body for message, _ in receiver.take(3)], [0, 1, 2], "bodies")


@using("transaction-aborts-sends")
def transaction_aborts_sends(session):
    queue = session.queue()
    sender = with_credit(session.sender(queue_address(queue)))
    transaction = Transaction(session.connection)
    transaction.send(sender, "aborted")
    transaction.abort()
    # Then one without a transaction, so that there is something to wait for.
    sender.send(Message(body="plain"))
    session.expect_ready(queue, 1)
    expect_equal(session.receiver(queue_address(queue)).receive()[0].body, "plain", "body")


@using("transaction-commits-accepts")
def transaction_commits_accepts(session):
    queue = session.queue()
    session.fill(queue, *range(3))
    receiver = session.receiver(queue_address(queue), credit=3)
    transaction = Transaction(session.connection)
    for _, delivery in receiver.take(3):
        transaction.accept(delivery)
    transaction.commit()
    receiver.close()
    session.expect_ready(queue, 0)


@using("transaction-aborts-accepts")
def transaction_aborts_accepts(session):
    """Not settled when the transaction ends: they are the receiver's still, and Proton releases them."""
    queue = session.queue()
    session.fill(queue, *range(3))
    receiver = session.receiver(queue_address(queue), credit=3)
    transaction = Transaction(session.connection)
    for _, delivery in receiver.take(3):
        transaction.accept(delivery)
    transaction.abort()
    session.expect_ready(queue, 3)


@using("transaction-aborts-settled-accepts")
def transaction_aborts_settled_accepts(session):
    queue = session.queue()
    session.fill(queue, *range(3))
    receiver = session.receiver(queue_address(queue), credit=3)
    transaction = Transaction(session.connection, settle_first=True)
    for _, delivery in receiver.take(3):
        transaction.accept(delivery)
    transaction.abort()
    receiver.close()
    session.expect_ready(queue, 3)


@using("transaction-moves-a-message")
def transaction_moves_a_message(session):
    """Taken here and sent there, or neither."""
    origin, destination = session.queue(), session.queue()
    session.fill(origin, "x")
    sender = with_credit(session.sender(queue_address(destination)))
    for end, left in (("abort", (1, 0)), ("commit", (0, 1))):
        receiver = session.receiver(queue_address(origin))
        message, delivery = receiver.receive()
        transaction = Transaction(session.connection)
        transaction.accept(delivery)
        transaction.send(sender, message.body)
        getattr(transaction, end)()
        session.flush()
        receiver.close()
        session.expect_ready(origin, left[0])
        session.expect_ready(destination, left[1])


@using("transactions-side-by-side")
def transactions_side_by_side(session):
    """Several at once on one coordinator link, each with an end of its own."""
    queue = session.queue()
    sender = with_credit(session.sender(queue_address(queue)))
    transactions = [Transaction(session.connection) for _ in range(3)]
    for number, transaction in enumerate(transactions):
        transaction.send(sender, number)
    transactions[1].abort()
    transactions[2].commit()
    transactions[0].commit()
    session.expect_ready(queue, 2)
    receiver = session.receiver(queue_address(queue), credit=2)
    expect_equal([message.body for message, _ in receiver.take(2)], [2, 0], "bodies, in the order of the commits")


@using("transaction-of-a-lost-connection")
def transaction_of_a_lost_connection(session):
    """A transaction whose controlling link is gone is rolled back (1.0 part 4, section 4.2)."""
    queue, other = session.queue(), session.queue()
    session.fill(queue, "x")
    lost = session.connect()
    sender = with_credit(session.sender(queue_address(other), lost))
    receiver = session.receiver(queue_address(queue), connection=lost)
    _, delivery = receiver.receive()
    transaction = Transaction(lost, settle_first=True)
    transaction.send(sender, "y")
    transaction.accept(delivery)
    session.flush()
    close(lost)
    session.expect_ready(queue, 1)
    session.expect_ready(other, 0)


@using("transaction-unknown")
def transaction_unknown(session):
    """1.0 part 4, section 4.5.8: amqp:transaction:unknown-id."""
    transaction = Transaction(session.connection)
    transaction.transaction.id = b"nobody's"
    transaction.commit(expected="commit-failed")
    expect_equal(transaction.handler.condition.name, "amqp:transaction:unknown-id", "condition")


@using("transaction-large-message", max_frame_size=4096)
def transaction_large_message(session):
    queue = session.queue()
    sender = with_credit(session.sender(queue_address(queue)))
    body = bytes(1024 * 1024)
    transaction = Transaction(session.connection)
    delivery = transaction.transaction.send(sender.link, Message(body=body, inferred=True))
    transaction.commit()
    session.connection.wait(lambda: delivery.settled, msg="settlement")
    expect(session.receiver(queue_address(queue)).receive()[0].body == body, "1 MiB unchanged")


@using("transaction-rejects-and-releases")
def transaction_rejects_and_releases(session):
    """Other outcomes than accepted are transactional work, too (1.0 part 4, section 4.4.3)."""
    queue, graveyard = session.queue_with_graveyard()
    session.fill(queue, "rejected", "released")
    receiver = session.receiver(queue_address(queue), credit=2)
    (_, rejected), (_, released) = receiver.take(2)
    transaction = Transaction(session.connection)
    transaction.transaction.update(rejected, Delivery.REJECTED)
    rejected.settle()
    transaction.transaction.update(released, Delivery.RELEASED)
    released.settle()
    session.expect_ready(graveyard, 0)
    transaction.commit()
    session.expect_ready(graveyard, 1)
    session.expect_ready(queue, 1)
