"""Where links lead: queues, exchanges, the anonymous terminus, and nowhere."""

from proton import Delivery, Message, symbol
from proton.reactor import DynamicNodeProperties, SenderOption
from proton.utils import LinkDetached

from interop_harness import expect, expect_equal, unique
from proton_session import accept, annotations, exchange_address, expect_refused, queue_address, using


class TemporaryQueue(SenderOption):
    """A target that the broker makes, and names in its answer."""

    def apply(self, sender):
        sender.target.dynamic = True
        sender.target.capabilities.put_object(symbol("temporary-queue"))


@using("address-exchange-and-key")
def address_exchange_and_key(session):
    exchange = session.exchange("topic")
    queue = session.bound_queue(exchange, "a.*")
    session.sender(exchange_address(exchange, "a.b")).send(Message(body="x"))
    message, _ = session.receiver(queue_address(queue)).receive()
    expect_equal(message.body, "x", "body")
    expect_equal((annotations(message).get("x-exchange"), annotations(message).get("x-routing-key")), (exchange, "a.b"), "annotations")


@using("address-exchange-alone")
def address_exchange_alone(session):
    exchange = session.exchange("fanout")
    queues = [session.bound_queue(exchange, "") for _ in range(3)]
    session.sender(exchange_address(exchange)).send(Message(body="x"))
    for queue in queues:
        session.expect_ready(queue, 1)


@using("address-percent-encoded")
def address_percent_encoded(session):
    queue = session.queue(unique("a/b c%ü"))
    session.fill(queue, "x")
    message, _ = session.receiver(queue_address(queue)).receive()
    expect_equal(message.body, "x", "body")

    exchange = session.exchange("direct")
    key = "k/é %41"
    bound = session.bound_queue(exchange, key)
    session.sender(exchange_address(exchange, key)).send(Message(body="y"))
    session.expect_ready(bound, 1)


@using("address-wrongly-encoded-refused")
def address_wrongly_encoded_refused(session):
    """Behaviour note 104."""
    connection = session.connect()
    expect_refused("amqp:invalid-field", lambda: session.sender("/queues/a%2", connection))


@using("address-plain-queue-name")
def address_plain_queue_name(session):
    queue = session.queue()
    session.sender(queue).send(Message(body="x"))
    message, delivery = session.receiver(queue).receive()
    expect_equal(message.body, "x", "body")
    accept(delivery)
    session.expect_ready(queue, 0)


@using("address-plain-exchange-name")
def address_plain_exchange_name(session):
    """The subject is the routing key."""
    exchange = session.exchange("direct")
    queue = session.bound_queue(exchange, "key")
    sender = session.sender(exchange)
    expect_equal(sender.send(Message(subject="key", body="x")).remote_state, Delivery.ACCEPTED, "outcome")
    expect_equal(sender.send(Message(subject="other", body="x"), error_states=[]).remote_state, Delivery.RELEASED, "outcome")
    session.expect_ready(queue, 1)


@using("address-missing-queue-refused")
def address_missing_queue_refused(session):
    missing = queue_address(unique("missing"))
    expect_refused("amqp:not-found", lambda: session.receiver(missing))
    expect_refused("amqp:not-found", lambda: session.sender(missing))
    expect_refused("amqp:not-found", lambda: session.sender(exchange_address(unique("missing"), "key")))
    # A refused link is no reason to end the session.
    queue = session.queue()
    session.fill(queue, "x")
    session.expect_ready(queue, 1)


@using("unroutable-released")
def unroutable_released(session):
    """Behaviour note 106."""
    exchange = session.exchange("direct")
    sender = session.sender(exchange_address(exchange, "nobody"))
    delivery = sender.send(Message(body="x"), error_states=[])
    expect_equal(delivery.remote_state, Delivery.RELEASED, "outcome")
    queue = session.queue()
    session.channel.queue_bind(queue, exchange, "nobody")
    expect_equal(sender.send(Message(body="x")).remote_state, Delivery.ACCEPTED, "outcome when a queue is bound")


@using("anonymous-terminus")
def anonymous_terminus(session):
    """The address is each message's own `to`; what cannot be delivered is refused alone."""
    queues = [session.queue() for _ in range(2)]
    exchange = session.exchange("direct")
    bound = session.bound_queue(exchange, "key")
    sender = session.sender(None)
    for address in (queue_address(queues[0]), queue_address(queues[1]), exchange_address(exchange, "key")):
        expect_equal(sender.send(Message(address=address, body="x")).remote_state, Delivery.ACCEPTED, "outcome for " + address)
    for queue in (*queues, bound):
        session.expect_ready(queue, 1)
    message, _ = session.receiver(queue_address(queues[0])).receive()
    expect_equal(message.address, queue_address(queues[0]), "to")

    unroutable = sender.send(Message(address=exchange_address(exchange, "other"), body="x"), error_states=[])
    expect_equal(unroutable.remote_state, Delivery.RELEASED, "outcome of an unroutable message")
    expect_equal(sender.send(Message(address=queue_address(queues[0]), body="x")).remote_state, Delivery.ACCEPTED, "outcome after that")


@using("anonymous-terminus-without-to")
def anonymous_terminus_without_to(session):
    """Behaviour note 105."""
    sender = session.sender(None)
    delivery = sender.link.send(Message(body="x"))
    sender.connection.wait(lambda: delivery.remote_state, msg="the outcome")
    expect_equal(delivery.remote_state, Delivery.REJECTED, "outcome")
    expect_equal(delivery.remote.condition.name, "amqp:precondition-failed", "condition")
    delivery.settle()


@using("dynamic-source")
def dynamic_source(session):
    """A queue of the link's own, which ends with it."""
    receiver = session.receiver(None, dynamic=True)
    address = receiver.link.remote_source.address
    expect(address, "an address")
    other = session.connect()
    session.sender(address, other).send(Message(body="x"))
    message, delivery = receiver.receive()
    expect_equal(message.body, "x", "body")
    accept(delivery)
    receiver.close()
    expect_refused("amqp:not-found", lambda: session.sender(address, other))


@using("dynamic-source-properties")
def dynamic_source_properties(session):
    """With the lifetime policy that JMS clients ask for (1.0 part 3, section 3.5.10)."""
    from proton import Described
    policy = DynamicNodeProperties({"lifetime-policy": Described(symbol("amqp:delete-on-close:list"), [])})
    receiver = session.receiver(None, dynamic=True, options=policy)
    session.sender(receiver.link.remote_source.address).send(Message(body="x"))
    expect_equal(receiver.receive()[0].body, "x", "body")


@using("dynamic-target")
def dynamic_target(session):
    sender = session.sender(None, options=TemporaryQueue())
    address = sender.link.remote_target.address
    expect(address, "an address")
    sender.send(Message(body="x"))
    expect_equal(session.receiver(address).receive()[0].body, "x", "body")


@using("queue-deleted-under-receiver")
def queue_deleted_under_receiver(session):
    """Behaviour note 110."""
    queue = session.queue()
    receiver = session.receiver(queue_address(queue), credit=1)
    session.channel.queue_delete(queue)
    receiver.wait_for(lambda: receiver.inbox.closed_with, "detach")
    expect_equal(receiver.inbox.closed_with.name, "amqp:resource-deleted", "condition")


@using("exclusive-queue-of-another")
def exclusive_queue_of_another(session):
    queue = unique("exclusive")
    session.channel.queue_declare(queue, exclusive=True)
    try:
        session.receiver(queue_address(queue))
    except LinkDetached as error:
        expect(error.condition in ("amqp:resource-locked", "amqp:unauthorized-access"), "condition " + str(error.condition))
    else:
        raise AssertionError("the broker did not refuse the link")
