"""Credit, drain, windows, and many links and sessions."""

from proton import Endpoint, Message

from interop_harness import expect, expect_equal
from proton_session import accept, queue_address, using


@using("credit-bounds-deliveries")
def credit_bounds_deliveries(session):
    queue = session.queue()
    session.fill(queue, *range(10))
    receiver = session.receiver(queue_address(queue), credit=3)
    taken = receiver.take(3)
    session.expect_ready(queue, 7)
    # Settlement is not credit.
    for _, delivery in taken:
        accept(delivery)
    session.expect_ready(queue, 7)
    receiver.link.flow(2)
    expect_equal([message.body for message, _ in receiver.take(2)], [3, 4], "bodies")
    session.expect_ready(queue, 5)


@using("credit-before-messages")
def credit_before_messages(session):
    queue = session.queue()
    receiver = session.receiver(queue_address(queue), credit=5)
    session.fill(queue, *range(5))
    expect_equal([message.body for message, _ in receiver.take(5)], list(range(5)), "bodies")


@using("credit-shared-between-links")
def credit_shared_between_links(session):
    """Each link gets what it has credit for, and no more."""
    queue = session.queue()
    session.fill(queue, *range(10))
    links = [session.receiver(queue_address(queue), credit=credit) for credit in (1, 2, 3)]
    for link, credit in zip(links, (1, 2, 3)):
        link.take(credit)
    session.expect_ready(queue, 4)


@using("drain-empty-queue")
def drain_empty_queue(session):
    queue = session.queue()
    receiver = session.receiver(queue_address(queue))
    receiver.drain(5)
    expect_equal((len(receiver.messages), receiver.link.credit), (0, 0), "messages and credit")
    session.fill(queue, "later")
    session.expect_ready(queue, 1)
    # Credit after drain is credit as ever.
    receiver.link.drain_mode = False
    expect_equal(receiver.receive()[0].body, "later", "body")


@using("drain-filled-queue")
def drain_filled_queue(session):
    queue = session.queue()
    session.fill(queue, *range(3))
    receiver = session.receiver(queue_address(queue))
    receiver.drain(5)
    expect_equal(receiver.bodies, [0, 1, 2], "bodies")
    expect_equal(receiver.link.credit, 0, "credit")
    session.fill(queue, *range(8))
    receiver.inbox.received.clear()
    receiver.drain(5)
    expect_equal(receiver.bodies, [0, 1, 2, 3, 4], "bodies when there is more than credit")
    session.expect_ready(queue, 3)


@using("sender-gets-credit")
def sender_gets_credit(session):
    queue = session.queue()
    sender = session.sender(queue_address(queue))
    sender.connection.wait(lambda: sender.link.credit > 0, msg="credit")
    # More than any window, without waiting for outcomes one by one.
    sent = []
    for number in range(5000):
        sender.connection.wait(lambda: sender.link.credit, msg="credit")
        sent.append(sender.link.send(Message(body=number)))
    sender.connection.wait(lambda: all(delivery.settled for delivery in sent), msg="all outcomes")
    session.expect_ready(queue, 5000)


@using("session-window", max_frame_size=4096)
def session_window(session):
    """Proton's window is 4 frames here: the broker has to wait for flow between messages (1.0 part 2, section 2.5.6)."""
    queue = session.queue()
    bodies = [str(number).zfill(4) * 500 for number in range(200)]
    session.fill(queue, *bodies)
    narrow = session.connection.conn.session()
    narrow.incoming_capacity = 4 * 4096
    narrow.open()
    receiver = session.receiver(queue_address(queue), credit=200, parent=narrow)
    received = receiver.take(200)
    expect([message.body for message, _ in received] == bodies, "all messages, in order")


@using("many-links-in-a-session")
def many_links_in_a_session(session):
    queues = [session.queue() for _ in range(50)]
    senders = [session.sender(queue_address(queue)) for queue in queues]
    receivers = [session.receiver(queue_address(queue), credit=1) for queue in queues]
    for number, sender in enumerate(senders):
        sender.send(Message(body=number))
    for number, receiver in enumerate(receivers):
        (message, delivery), = receiver.take(1)
        expect_equal(message.body, number, "body")
        accept(delivery)
    for link in (*senders, *receivers):
        link.close()
    # Their handles are free again.
    again = [session.receiver(queue_address(queue)) for queue in queues]
    expect(all(receiver.link.state & Endpoint.REMOTE_ACTIVE for receiver in again), "links open again")


@using("many-sessions-in-a-connection")
def many_sessions_in_a_connection(session):
    queue = session.queue()
    connection = session.connection
    parents = []
    for _ in range(50):
        parent = connection.conn.session()
        parent.open()
        parents.append(parent)
    connection.wait(lambda: all(parent.state & Endpoint.REMOTE_ACTIVE for parent in parents), msg="begin")
    receivers = [session.receiver(queue_address(queue), credit=2, parent=parent) for parent in parents]
    session.fill(queue, *range(100))
    connection.wait(lambda: sum(len(receiver.messages) for receiver in receivers) == 100, msg="100 messages")
    expect_equal(sorted(body for receiver in receivers for body in receiver.bodies), list(range(100)), "bodies")
    for receiver in receivers:
        for delivery in receiver.deliveries:
            accept(delivery)
    session.flush()
    for parent in parents:
        parent.close()
    connection.wait(lambda: not any(parent.state & Endpoint.REMOTE_ACTIVE for parent in parents), msg="end")
    session.expect_ready(queue, 0)


@using("end-of-session-returns-messages")
def end_of_session_returns_messages(session):
    queue = session.queue()
    session.fill(queue, "x")
    parent = session.connection.conn.session()
    parent.open()
    session.receiver(queue_address(queue), credit=1, parent=parent).take(1)
    parent.close()
    session.connection.wait(lambda: not parent.state & Endpoint.REMOTE_ACTIVE, msg="end")
    session.expect_ready(queue, 1)


@using("churn-of-links-loses-nothing")
def churn_of_links_loses_nothing(session):
    """Links are closed while messages are on their way to them; what was not accepted comes to a later one."""
    queue = session.queue()
    session.fill(queue, *range(300))
    seen = []
    for turn in range(1000):
        receiver = session.receiver(queue_address(queue), credit=1 + turn % 9)
        receiver.wait_for(lambda: receiver.messages, "a message")
        for message, delivery in receiver.inbox.received:
            seen.append(message.body)
            accept(delivery)
        receiver.close()
        if len(set(seen)) == 300:
            break
    session.flush()
    session.expect_ready(queue, 0)
    expect_equal(sorted(seen), list(range(300)), "each message, once accepted")


@using("fair-between-receivers")
def fair_between_receivers(session):
    """Receivers with credit get turns."""
    queue = session.queue()
    receivers = [session.receiver(queue_address(queue), credit=5, connection=session.connect()) for _ in range(3)]
    session.fill(queue, *range(15))
    for receiver in receivers:
        expect_equal(len(receiver.take(5)), 5, "messages of one receiver")
