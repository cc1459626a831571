"""Opening, authentication and what the connection itself promises."""

import socket
import urllib.parse

from proton import ConnectionException, Delivery, Message, symbol
from proton.utils import ConnectionClosed

from interop_harness import expect, expect_equal, unique
from proton_session import connect, close, queue_address, using


def expect_open_refused(session, condition, **changes):
    try:
        connection = connect(session.uri, **changes)
    except ConnectionException as error:
        expect(condition in str(error), "{} in {}".format(condition, error))
    else:
        close(connection)
        raise AssertionError("the broker did not refuse the connection")


@using("open-properties")
def open_properties(session):
    remote = session.connection.conn
    properties = remote.remote_properties
    for key in ("product", "version"):
        expect(isinstance(properties.get(key), str) and properties[key], "open has the property {}: {}".format(key, properties))
    expect(remote.remote_container, "a container id")
    expect(symbol("ANONYMOUS-RELAY") in list(remote.remote_offered_capabilities), "the capability ANONYMOUS-RELAY")


@using("wrong-password-refused")
def wrong_password_refused(session):
    expect_open_refused(session, "amqp:unauthorized-access", password="wrong")
    expect_open_refused(session, "amqp:unauthorized-access", user="nobody")
    # The broker is none the worse.
    close(session.connect())


@using("mechanism-of-protons-choice")
def mechanism_of_protons_choice(session):
    """Without a list Proton takes the strongest mechanism that both sides have."""
    queue = session.queue()
    session.fill(queue, "x", connection=session.connect(allowed_mechs=None))
    session.expect_ready(queue, 1)


@using("virtual-host-by-hostname")
def virtual_host_by_hostname(session):
    queue = session.queue()
    virtual_host = urllib.parse.unquote(urllib.parse.urlsplit(session.uri).path[1:]) or "/"
    session.fill(queue, "x", connection=session.connect(virtual_host="vhost:" + virtual_host))
    session.expect_ready(queue, 1)
    try:
        connection = session.connect(virtual_host="vhost:" + unique("none"))
        # An error after open comes in a close of its own (1.0 part 2, section 2.4.1).
        connection.wait(lambda: connection.conn.remote_condition, msg="close")
        expect_equal(connection.conn.remote_condition.name, "amqp:not-found", "condition")
    except ConnectionClosed as error:
        expect_equal(error.condition, "amqp:not-found", "condition")


@using("heartbeats-while-idle")
def heartbeats_while_idle(session):
    """Proton announces half of its limit, and the broker must send something in each such time (1.0 part 2, section 2.4.5)."""
    connection = session.connect(heartbeat=2)
    transport = connection.conn.transport
    before = transport.frames_input
    connection.wait(lambda: transport.frames_input >= before + 3, msg="empty frames")


@using("frames-no-larger-than-agreed", max_frame_size=512)
def frames_no_larger_than_agreed(session):
    """512 is the least that a peer may ask for (1.0 part 2, section 2.7.1); Proton drops a connection whose frames are larger."""
    queue = session.queue()
    body = "x" * 20000
    session.fill(queue, body)
    receiver = session.receiver(queue_address(queue))
    message, delivery = receiver.receive()
    expect_equal(message.body, body, "body")
    delivery.update(Delivery.ACCEPTED)
    delivery.settle()
    session.expect_ready(queue, 0)


@using("many-connections")
def many_connections(session):
    queue = session.queue()
    connections = [session.connect() for _ in range(20)]
    for number, connection in enumerate(connections):
        session.fill(queue, str(number), connection=connection)
    receiver = session.receiver(queue_address(queue), credit=20)
    expect_equal([message.body for message, _ in receiver.take(20)], [str(number) for number in range(20)], "bodies")


@using("close-with-work-unfinished")
def close_with_work_unfinished(session):
    """What a connection had not settled is there for the next one."""
    queue = session.queue()
    session.fill(queue, "one", "two")
    first = session.connect()
    session.receiver(queue_address(queue), credit=2, connection=first).take(2)
    close(first)
    session.expect_ready(queue, 2)
    message, _ = session.receiver(queue_address(queue)).receive()
    expect_equal((message.body, message.first_acquirer), ("one", False), "the message again")


@using("socket-lost-with-work-unfinished")
def socket_lost_with_work_unfinished(session):
    queue = session.queue()
    session.fill(queue, "one")
    lost = session.connect()
    session.receiver(queue_address(queue), credit=1, connection=lost).take(1)
    lost.conn.transport._selectable._delegate.shutdown(socket.SHUT_RDWR)
    session.expect_ready(queue, 1)


@using("reopened-on-one-container")
def reopened_on_one_container(session):
    """The same container id may come again at once."""
    queue = session.queue()
    name = unique("container")
    for number in range(5):
        connection = session.connect(container_id=name)
        sender = session.sender(queue_address(queue), connection, name="same-link")
        sender.send(Message(body=number))
        close(connection)
    session.expect_ready(queue, 5)
