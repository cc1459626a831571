"""What a receiver can ask of its source: filters, copies, durability."""

from proton import Delivery, Described, Message, Terminus, symbol, ulong
from proton.reactor import Copy, DurableSubscription, Filter, Move, ReceiverOption, Selector

from interop_harness import expect, expect_equal, unique
from proton_session import accept, close, queue_address, settle, using


class KeepsUnsettled(ReceiverOption):
    """A terminus whose unsettled state, too, would survive (1.0 part 3, section 3.5.5)."""

    def apply(self, receiver):
        receiver.source.durability = Terminus.DELIVERIES
        receiver.source.expiry_policy = Terminus.EXPIRE_NEVER
        receiver.target.durability = Terminus.DELIVERIES
        receiver.target.expiry_policy = Terminus.EXPIRE_NEVER


class DurableConfiguration(ReceiverOption):
    def apply(self, receiver):
        receiver.source.durability = Terminus.CONFIGURATION
        receiver.source.expiry_policy = Terminus.EXPIRE_NEVER


def fill_with_colours(session, count=6):
    queue = session.queue()
    sender = session.sender(queue_address(queue))
    for number in range(count):
        sender.send(Message(
            body=number, subject="odd" if number % 2 else "even", priority=number,
            properties={"colour": ("red", "green", "blue")[number % 3], "size": number, "large": number > 3}))
    return queue


def selected(session, queue, selector, count):
    """The bodies that a selector lets through; they are released again."""
    receiver = session.receiver(queue_address(queue), credit=10, options=Selector(selector))
    expect(receiver.filters, "the answer to attach names the filter, so it is in effect")
    taken = receiver.take(count)
    for _, delivery in taken:
        settle(delivery, Delivery.RELEASED)
    receiver.close()
    session.expect_ready(queue, 6)
    return [message.body for message, _ in taken]


@using("selector-leaves-the-rest")
def selector_leaves_the_rest(session):
    queue = fill_with_colours(session)
    receiver = session.receiver(queue_address(queue), credit=10, options=Selector("colour = 'green'"))
    taken = receiver.take(2)
    expect_equal([message.body for message, _ in taken], [1, 4], "bodies")
    for _, delivery in taken:
        accept(delivery)
    session.expect_ready(queue, 4)
    # The link stays, and selects among what comes.
    session.sender(queue_address(queue)).send(Message(body=6, properties={"colour": "red"}))
    session.sender(queue_address(queue)).send(Message(body=7, properties={"colour": "green"}))
    expect_equal(receiver.take(1)[0][0].body, 7, "body")


@using("selector-released-while-detaching")
def selector_released_while_detaching(session):
    """What is released goes to the same link at once, which is being closed: it must come back each time."""
    queue = fill_with_colours(session)
    for _ in range(150):
        selected(session, queue, "size > 3", 2)


@using("selector-expressions")
def selector_expressions(session):
    queue = fill_with_colours(session)
    for selector, expected in (
            ("size > 3", [4, 5]),
            ("size BETWEEN 1 AND 2", [1, 2]),
            ("colour IN ('red', 'blue') AND NOT size = 0", [2, 3, 5]),
            ("colour LIKE 'gr%'", [1, 4]),
            ("large = TRUE OR size = 0", [0, 4, 5]),
            ("missing IS NULL AND size <= 1", [0, 1]),
            ("size * 2 = 6 OR size + 1 = 1", [0, 3])):
        expect_equal(selected(session, queue, selector, len(expected)), expected, selector)


@using("selector-by-number")
def selector_by_number(session):
    """The descriptor's numeric form, which other clients send."""
    queue = fill_with_colours(session)
    by_number = Filter({symbol("jms-selector"): Described(ulong(0x0000468C00000004), "colour = 'blue'")})
    receiver = session.receiver(queue_address(queue), credit=10, options=by_number)
    expect_equal([message.body for message, _ in receiver.take(2)], [2, 5], "bodies")


@using("unknown-filter-is-left-out")
def unknown_filter_is_left_out(session):
    """Behaviour note 115: the answer names the filters in effect, and the link is not refused."""
    queue = fill_with_colours(session)
    unknown = Filter({symbol("mine"): Described(symbol("example.com:filter"), "x")})
    receiver = session.receiver(queue_address(queue), credit=6, options=unknown)
    expect_equal(len(receiver.take(6)), 6, "messages")
    expect_equal(receiver.filters, {}, "filters in effect")


@using("browse")
def browse(session):
    """distribution-mode copy (1.0 part 3, section 3.5.7): the messages stay, whatever the outcome."""
    queue = session.queue()
    session.fill(queue, *range(5))
    browser = session.receiver(queue_address(queue), credit=10, options=Copy())
    expect_equal(browser.link.remote_source.distribution_mode, Terminus.DIST_MODE_COPY, "the mode in effect")
    taken = browser.take(5)
    expect_equal([message.body for message, _ in taken], list(range(5)), "bodies")
    for _, delivery in taken:
        accept(delivery)
    session.flush()
    browser.close()
    session.expect_ready(queue, 5)
    consumer = session.receiver(queue_address(queue), credit=5, options=Move())
    again = consumer.take(5)
    expect(all(message.first_acquirer for message, _ in again), "browsing does not acquire")


@using("browse-twice-with-drain")
def browse_twice_with_drain(session):
    """A browser that wants to know the end drains; the next one begins at the head again."""
    queue = session.queue()
    session.fill(queue, *range(5))
    for _ in range(2):
        browser = session.receiver(queue_address(queue), options=Copy())
        browser.drain(20)
        expect_equal([message.body for message, _ in browser.take(5)], list(range(5)), "bodies")
        browser.close()
    session.expect_ready(queue, 5)


@using("browse-with-selector")
def browse_with_selector(session):
    queue = fill_with_colours(session)
    browser = session.receiver(queue_address(queue), credit=10, options=[Copy(), Selector("colour = 'red'")])
    expect_equal([message.body for message, _ in browser.take(2)], [0, 3], "bodies")
    session.expect_ready(queue, 6)


def durable_subscription(session, option):
    queue = session.queue()
    container, link = unique("container"), unique("subscription")
    first = session.connect(container_id=container)
    receiver = session.receiver(queue_address(queue), connection=first, name=link, options=option)
    session.fill(queue, "settled", "unsettled")
    receiver.link.flow(2)
    (_, settled), _ = receiver.take(2)
    accept(settled)
    session.flush()
    receiver.detach()
    close(first)

    session.fill(queue, "meanwhile")
    again = session.connect(container_id=container)
    receiver = session.receiver(queue_address(queue), connection=again, name=link, options=option)
    receiver.link.flow(2)
    taken = receiver.take(2)
    expect_equal([message.body for message, _ in taken], ["unsettled", "meanwhile"], "bodies after the second attach")
    for _, delivery in taken:
        accept(delivery)
    session.flush()
    receiver.close()
    session.expect_ready(queue, 0)


@using("durable-subscription")
def durable_subscription_of_deliveries(session):
    durable_subscription(session, DurableSubscription())


@using("durable-subscription-configuration")
def durable_subscription_of_configuration(session):
    durable_subscription(session, DurableConfiguration())


@using("durable-subscription-unsettled")
def durable_subscription_with_unsettled(session):
    durable_subscription(session, KeepsUnsettled())


@using("link-of-one-name-is-stolen")
def link_of_one_name_is_stolen(session):
    """A link is one by its name and its two containers (1.0 part 2, section 2.6.1): a second attach takes it over."""
    queue = session.queue()
    container, link = unique("container"), unique("subscription")
    options = {"name": link, "options": DurableSubscription()}
    first = session.connect(container_id=container)
    robbed = session.receiver(queue_address(queue), connection=first, credit=1, **options)
    second = session.connect(container_id=container)
    receiver = session.receiver(queue_address(queue), connection=second, **options)
    robbed.wait_for(lambda: robbed.inbox.closed_with, "detach")
    expect_equal(robbed.inbox.closed_with.name, "amqp:link:stolen", "condition")
    session.fill(queue, "x")
    expect_equal(receiver.receive()[0].body, "x", "body")


@using("detach-and-attach-in-one-session")
def detach_and_attach_in_one_session(session):
    queue = session.queue()
    link = unique("link")
    for number in range(3):
        session.fill(queue, number)
        receiver = session.receiver(queue_address(queue), credit=1, name=link)
        (message, delivery), = receiver.take(1)
        expect_equal(message.body, number, "body")
        accept(delivery)
        session.flush()
        receiver.detach()
        receiver.link.free()
    session.expect_ready(queue, 0)
