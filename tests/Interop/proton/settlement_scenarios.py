"""Outcomes, from the broker to a sender and from a receiver to the broker."""

from proton import Condition, Delivery, Link, Message, symbol
from proton.reactor import AtLeastOnce, ReceiverOption

from interop_harness import expect, expect_equal
from proton_session import accept, annotations, modify, queue_address, settle, using


class SettlesSecond(ReceiverOption):
    def apply(self, receiver):
        receiver.rcv_settle_mode = Link.RCV_SECOND


def one_message(session, kind=None):
    """A queue with one message and a graveyard, and a link with that message on it."""
    queue, graveyard = session.queue_with_graveyard(kind)
    session.fill(queue, "x")
    receiver = session.receiver(queue_address(queue))
    _, delivery = receiver.receive()
    return queue, graveyard, receiver, delivery


@using("accept")
def accept_removes(session):
    queue, graveyard, receiver, delivery = one_message(session)
    accept(delivery)
    session.flush()
    receiver.close()
    session.expect_ready(queue, 0)
    session.expect_ready(graveyard, 0)


@using("reject-dead-letters")
def reject_dead_letters(session):
    queue, graveyard, _, delivery = one_message(session)
    delivery.local.condition = Condition("app:wrong", "not what was wanted")
    settle(delivery, Delivery.REJECTED)
    session.expect_ready(graveyard, 1)
    session.expect_ready(queue, 0)
    message, _ = session.receiver(queue_address(graveyard)).receive()
    expect_equal(message.body, "x", "body")
    expect_equal(annotations(message).get("x-first-death-reason"), "rejected", "reason")
    expect_equal(annotations(message).get("x-first-death-queue"), queue, "queue")


@using("release-requeues")
def release_requeues(session):
    queue, graveyard, receiver, delivery = one_message(session)
    settle(delivery, Delivery.RELEASED)
    session.expect_ready(queue, 1)
    message, again = receiver.receive()
    # What is released was not tried (1.0 part 3, section 3.4.4).
    expect_equal((message.delivery_count, message.first_acquirer), (0, False), "delivery count and first acquirer")
    accept(again)
    session.expect_ready(queue, 0)
    session.expect_ready(graveyard, 0)


@using("modify-counts-failed-deliveries")
def modify_counts_failed_deliveries(session):
    """Behaviour note 112."""
    queue, _, receiver, delivery = one_message(session, kind="quorum")
    for failures in (1, 2, 3):
        modify(delivery, failed=True)
        message, delivery = receiver.receive()
        expect_equal((message.delivery_count, message.first_acquirer), (failures, False), "delivery count and first acquirer")
    modify(delivery, failed=False)
    message, delivery = receiver.receive()
    expect_equal(message.delivery_count, 3, "delivery count after a modified that is no failure")
    accept(delivery)
    session.expect_ready(queue, 0)


@using("modify-on-classic-queue")
def modify_on_classic_queue(session):
    queue, graveyard, receiver, delivery = one_message(session)
    modify(delivery, failed=True)
    message, delivery = receiver.receive()
    expect_equal((message.body, message.first_acquirer), ("x", False), "the message again")
    modify(delivery, undeliverable=True)
    session.expect_ready(graveyard, 1)
    session.expect_ready(queue, 0)


@using("modify-undeliverable-here")
def modify_undeliverable_here(session):
    """Behaviour note 111: it is dead-lettered."""
    queue, graveyard, _, delivery = one_message(session, kind="quorum")
    modify(delivery, failed=True, undeliverable=True)
    session.expect_ready(graveyard, 1)
    session.expect_ready(queue, 0)


@using("modify-annotates")
def modify_annotates(session):
    _, _, receiver, delivery = one_message(session, kind="quorum")
    modify(delivery, failed=True, annotations={symbol("x-opt-cause"): "busy"})
    message, _ = receiver.receive()
    expect_equal(annotations(message).get("x-opt-cause"), "busy", "the annotation")


@using("delivery-limit-by-modify")
def delivery_limit_by_modify(session):
    graveyard = session.queue()
    queue = session.queue(kind="quorum", arguments={
        "x-delivery-limit": 2, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": graveyard})
    session.fill(queue, "x")
    receiver = session.receiver(queue_address(queue))
    for _ in range(3):
        modify(receiver.receive()[1], failed=True)
    properties, _ = session.get(graveyard)
    expect_equal(properties.headers["x-death"][0]["reason"], "delivery_limit", "reason")


@using("settle-out-of-order")
def settle_out_of_order(session):
    queue, graveyard = session.queue_with_graveyard()
    session.fill(queue, *range(9))
    receiver = session.receiver(queue_address(queue), credit=9)
    deliveries = [delivery for _, delivery in receiver.take(9)]
    for number in (8, 2, 5):
        accept(deliveries[number])
    for number in (7, 1, 4):
        settle(deliveries[number], Delivery.REJECTED)
    for number in (6, 0, 3):
        settle(deliveries[number], Delivery.RELEASED)
    session.expect_ready(graveyard, 3)
    session.expect_ready(queue, 3)
    again = session.receiver(queue_address(queue), credit=3).take(3)
    expect_equal([message.body for message, _ in again], [0, 3, 6], "what was released, at its place")


@using("settled-without-outcome")
def settled_without_outcome(session):
    """The source's default outcome holds, and without one the message is released (1.0 part 3, section 3.5.3)."""
    queue, graveyard, receiver, delivery = one_message(session)
    delivery.settle()
    session.expect_ready(queue, 1)
    session.expect_ready(graveyard, 0)


@using("unsettled-returns-on-detach")
def unsettled_returns_on_detach(session):
    queue, _, receiver, _ = one_message(session)
    receiver.close()
    session.expect_ready(queue, 1)


@using("receiver-settles-second")
def receiver_settles_second(session):
    """
    1.0 part 2, section 2.6.12: the broker settles after the receiver has said its outcome.
    A broker without this mode refuses the link or answers with the mode that it has.
    """
    queue = session.queue()
    session.fill(queue, "x")
    receiver = session.receiver(queue_address(queue), options=SettlesSecond())
    _, delivery = receiver.receive()
    if receiver.link.remote_rcv_settle_mode == Link.RCV_SECOND:
        delivery.update(Delivery.ACCEPTED)
        receiver.wait_for(lambda: delivery.settled, "the broker's settlement")
        delivery.settle()
    else:
        accept(delivery)
    session.flush()
    receiver.close()
    session.expect_ready(queue, 0)


@using("sender-gets-rejected")
def sender_gets_rejected(session):
    """Behaviour note 106: a full queue that rejects."""
    queue = session.queue(arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    sender = session.sender(queue_address(queue))
    expect_equal(sender.send(Message(body="kept")).remote_state, Delivery.ACCEPTED, "outcome")
    delivery = sender.send(Message(body="refused"), error_states=[])
    expect_equal(delivery.remote_state, Delivery.REJECTED, "outcome when the queue is full")
    expect_equal(session.get(queue)[1][-4:], b"kept", "body")


@using("many-outcomes-in-flight")
def many_outcomes_in_flight(session):
    queue = session.queue()
    sender = session.sender(queue_address(queue), options=AtLeastOnce())
    sent = []
    for number in range(2000):
        sender.connection.wait(lambda: sender.link.credit, msg="credit")
        sent.append(sender.link.send(Message(body=number, durable=True)))
    sender.connection.wait(lambda: all(delivery.settled for delivery in sent), msg="all outcomes")
    expect(all(delivery.remote_state == Delivery.ACCEPTED for delivery in sent), "all are accepted")
    session.expect_ready(queue, 2000)
