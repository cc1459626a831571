"""Queues, exchanges and bindings declared over AMQP 1.0 itself, as RabbitMQ's 1.0 clients do (behaviour note 114)."""

from proton import Message, symbol
from proton.reactor import LinkOption
from proton.utils import LinkDetached

from interop_harness import expect, expect_equal, unique
from proton_session import queue_address, using

NODE = "/management"


class Paired(LinkOption):
    def apply(self, link):
        link.properties = {symbol("paired"): True}


class Management:
    """A pair of links, one each way, with one name."""

    def __init__(self, session):
        name = unique("management")
        self.receiver = session.receiver(NODE, credit=8, name=name, options=Paired())
        self.sender = session.sender(NODE, name=name, options=Paired())

    def request(self, method, path, body=None):
        """The status and the body of the answer."""
        identifier = unique("request")
        self.sender.send(Message(id=identifier, address=path, subject=method, reply_to="$me", body=body))
        (reply, delivery), = self.receiver.take(1)
        delivery.settle()
        self.receiver.link.flow(1)
        expect_equal(reply.correlation_id, identifier, "correlation-id")
        expect_equal(reply.properties.get("http:response"), "1.1", "http:response")
        return reply.subject, reply.body

    def expect_status(self, expected, method, path, body=None):
        status, answer = self.request(method, path, body)
        expect_equal(status, expected, "status of {} {} ({})".format(method, path, answer))
        return answer


@using("management-queue")
def management_queue(session):
    management = Management(session)
    queue = unique("a queue/")
    path = queue_address(queue)
    declaration = {"durable": True, "exclusive": False, "auto_delete": False, "arguments": {"x-max-length": 10}}
    management.expect_status("404", "GET", path)
    try:
        declared = management.expect_status("201", "PUT", path, declaration)
        expect_equal((declared["name"], declared["durable"], declared["type"]), (queue, True, "classic"), "the queue")
        management.expect_status("200", "PUT", path, declaration)
        management.expect_status("409", "PUT", path, {**declaration, "arguments": {}})
        session.fill(queue, "one", "two")
        got = management.expect_status("200", "GET", path)
        expect_equal((got["message_count"], got["consumer_count"]), (2, 0), "counts")
        expect_equal(management.expect_status("200", "DELETE", path + "/messages")["message_count"], 2, "messages purged")
        session.fill(queue, "three")
    finally:
        deleted = management.expect_status("200", "DELETE", path)
    expect_equal(deleted["message_count"], 1, "messages deleted")


@using("management-exchange-and-bindings")
def management_exchange_and_bindings(session):
    management = Management(session)
    queue = session.queue()
    exchange = unique("topic")
    path = "/exchanges/" + exchange
    declaration = {"type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    management.expect_status("204", "PUT", path, declaration)
    try:
        management.expect_status("204", "PUT", path, declaration)
        management.expect_status("409", "PUT", path, {**declaration, "type": "fanout"})
        binding = {"source": exchange, "destination_queue": queue, "binding_key": "a.*", "arguments": {}}
        management.expect_status("204", "POST", "/bindings", binding)
        session.sender(path + "/a.b").send(Message(body="x"))
        session.expect_ready(queue, 1)
        found, = management.expect_status("200", "GET", "/bindings?src={}&dstq={}&key=a.%2A".format(exchange, queue))
        expect_equal((found["source"], found["destination_queue"], found["binding_key"]), (exchange, queue, "a.*"), "the binding")
        management.expect_status("204", "DELETE", found["location"])
        expect_equal(management.expect_status("200", "GET", "/bindings?src={}&dstq={}&key=a.%2A".format(exchange, queue)), [], "bindings")
    finally:
        management.expect_status("204", "DELETE", path)


@using("management-refuses")
def management_refuses(session):
    management = Management(session)
    management.expect_status("400", "PUT", "/queues/", {})
    management.expect_status("403", "PUT", "/queues/amq.reserved", {})
    management.expect_status("403", "PUT", "/exchanges/amq.default", {"type": "direct"})
    management.expect_status("400", "PUT", "/exchanges/" + unique("exchange"), {"type": "no-such-type"})
    # The pair of links is none the worse.
    management.expect_status("404", "GET", queue_address(unique("missing")))


@using("management-wants-a-pair")
def management_wants_a_pair(session):
    try:
        session.sender(NODE)
    except LinkDetached as error:
        expect(error.condition, "a condition")
    else:
        raise AssertionError("the broker did not refuse the link")
