'use strict';

// Credit, outcomes, sources and targets.

const assert = require('node:assert/strict');
const rhea = require('rhea');
const { unique, until, within } = require('../node-harness/harness');
const { exchangeAddress, nextEvent, queueAddress, using } = require('./session');

const bodiesOf = (taken) => taken.map(({ message }) => message.body);

async function oneMessage(session, options) {
  const [queue, graveyard] = await session.queueWithGraveyard(options);
  await session.fill(queue, 'x');
  const receiver = await session.receiver(queueAddress(queue));
  const { delivery } = await receiver.receive();
  return { queue, graveyard, receiver, delivery };
}

// --- credit ---

using('send-and-receive', async (session) => {
  const queue = await session.queue();
  const sender = await session.sender(queueAddress(queue));
  const receiver = session.connection.open_receiver(queueAddress(queue));
  const received = [];
  receiver.on('message', ({ message }) => received.push(message.body));
  for (let number = 0; number < 100; number++) await sender.send({ body: number });
  await until(() => received.length === 100, '100 messages');
  assert.deepEqual(received, [...Array(100).keys()]);
  await session.expectReady(queue, 0);
});

using('helloworld-on-a-plain-name', async (session) => {
  const queue = await session.queue();
  session.connection.open_receiver(queue);
  const sender = session.connection.open_sender(queue);
  const message = nextEvent(session.connection, 'message');
  sender.once('sendable', () => sender.send({ body: 'Hello World!' }));
  assert.equal((await within(message, 'the message')).message.body, 'Hello World!');
});

using('credit-window-refills', async (session) => {
  const queue = await session.queue();
  const sender = await session.sender(queueAddress(queue));
  const outcomes = [];
  for (let number = 0; number < 500; number++) outcomes.push(sender.outcome({ body: number }));
  assert((await Promise.all(outcomes)).every(({ outcome }) => outcome === 'accepted'));
  const receiver = await session.receiver(queueAddress(queue), { credit_window: 10, autoaccept: true });
  assert.deepEqual(bodiesOf(await receiver.take(500)), [...Array(500).keys()]);
  await session.expectReady(queue, 0);
});

using('manual-credit', async (session) => {
  const queue = await session.queue();
  await session.fill(queue, 0, 1, 2, 3, 4, 5);
  const receiver = await session.receiver(queueAddress(queue));
  receiver.link.add_credit(2);
  assert.deepEqual(bodiesOf(await receiver.take(2)), [0, 1]);
  await session.expectReady(queue, 4);
  receiver.link.add_credit(3);
  assert.deepEqual(bodiesOf(await receiver.take(3)), [2, 3, 4]);
  await session.expectReady(queue, 1);
});

using('drain', async (session) => {
  const queue = await session.queue();
  const receiver = await session.receiver(queueAddress(queue));
  await receiver.drain(5);
  assert.deepEqual(receiver.bodies, []);
  await session.fill(queue, 0, 1, 2);
  await session.expectReady(queue, 3);
  await receiver.drain(5);
  assert.deepEqual(bodiesOf(await receiver.take(3)), [0, 1, 2]);
  await session.fill(queue, 3);
  assert.equal((await receiver.receive()).message.body, 3);
});

// --- outcomes ---

using('accept', async (session) => {
  const { queue, graveyard, receiver, delivery } = await oneMessage(session);
  delivery.accept();
  await receiver.close();
  await session.expectReady(queue, 0);
  await session.expectReady(graveyard, 0);
});

using('reject-dead-letters', async (session) => {
  const { queue, graveyard, delivery } = await oneMessage(session);
  delivery.reject({ condition: 'app:wrong', description: 'not what was wanted' });
  await session.expectReady(graveyard, 1);
  await session.expectReady(queue, 0);
});

using('release-requeues', async (session) => {
  const { queue, receiver, delivery } = await oneMessage(session);
  delivery.release();
  const { message } = await receiver.receive();
  assert.deepEqual([message.body, message.delivery_count ?? 0, message.first_acquirer ?? false], ['x', 0, false]);
  await session.expectReady(queue, 0);
});

using('modify-counts-failed-deliveries', async (session) => {
  const { receiver, delivery } = await oneMessage(session, { arguments: { 'x-queue-type': 'quorum' } });
  delivery.modified({ delivery_failed: true });
  const { message } = await receiver.receive();
  assert.equal(message.delivery_count, 1);
});

using('modify-annotates', async (session) => {
  const { receiver, delivery } = await oneMessage(session, { arguments: { 'x-queue-type': 'quorum' } });
  delivery.modified({ delivery_failed: true, message_annotations: { 'x-opt-cause': 'busy' } });
  const { message } = await receiver.receive();
  assert.equal(message.message_annotations['x-opt-cause'], 'busy');
});

using('modify-undeliverable-here', async (session) => {
  const { queue, graveyard, delivery } = await oneMessage(session);
  delivery.modified({ undeliverable_here: true });
  await session.expectReady(graveyard, 1);
  await session.expectReady(queue, 0);
});

using('settle-many-as-ranges', async (session) => {
  const [queue, graveyard] = await session.queueWithGraveyard();
  await session.fill(queue, ...Array(20).keys());
  const receiver = await session.receiver(queueAddress(queue));
  receiver.link.add_credit(20);
  const taken = await receiver.take(20);
  // rhea writes dispositions of one turn as ranges.
  for (const { delivery } of taken.slice(0, 10)) delivery.accept();
  for (const { delivery } of taken.slice(10)) delivery.reject();
  await session.expectReady(graveyard, 10);
  await receiver.close();
  await session.expectReady(queue, 0);
});

using('presettled', async (session) => {
  const queue = await session.queue();
  const sender = await session.sender(queueAddress(queue), { snd_settle_mode: 1 });
  for (let number = 0; number < 5; number++) sender.link.send({ body: number });
  await session.expectReady(queue, 5);
  const receiver = await session.receiver(queueAddress(queue), { snd_settle_mode: 1 });
  receiver.link.add_credit(5);
  const taken = await receiver.take(5);
  assert(taken.every(({ delivery }) => delivery.remote_settled));
  await receiver.close();
  await session.expectReady(queue, 0);
});

using('unroutable-released', async (session) => {
  const exchange = await session.exchange('direct');
  const sender = await session.sender(exchangeAddress(exchange, 'nobody'), { treat_modified_as_released: false });
  assert.equal((await sender.outcome({ body: 'x' })).outcome, 'released');
});

using('full-queue-rejects', async (session) => {
  const queue = await session.queue({ maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } });
  const sender = await session.sender(queueAddress(queue));
  await sender.send({ body: 'kept' });
  assert.equal((await sender.outcome({ body: 'refused' })).outcome, 'rejected');
});

// --- sources and targets ---

using('missing-queue-refused', async (session) => {
  const missing = queueAddress(unique('missing'));
  await session.expectRefused('amqp:not-found', () => session.receiver(missing));
  await session.expectRefused('amqp:not-found', () => session.sender(missing));
  const queue = await session.queue();
  await session.fill(queue, 'x');
});

using('anonymous-terminus', async (session) => {
  const queue = await session.queue();
  const sender = await session.sender(null);
  await sender.send({ to: queueAddress(queue), body: 'x' });
  await session.expectReady(queue, 1);
  const { outcome, error } = await sender.outcome({ body: 'lost' });
  assert.deepEqual([outcome, error?.condition], ['rejected', 'amqp:precondition-failed']);
});

using('request-and-response', async (session) => {
  const queue = await session.queue();
  const server = await session.connect();
  const replies = await session.sender(null, {}, server);
  server.open_receiver(queueAddress(queue)).on('message', ({ message }) => {
    replies.link.send({ to: message.reply_to, correlation_id: message.correlation_id, body: message.body.toUpperCase() });
  });
  const answers = await session.receiver(null, { source: { dynamic: true } });
  const address = answers.link.source.address;
  assert(address);
  const requests = await session.sender(queueAddress(queue));
  for (const [number, body] of ['one', 'two', 'three'].entries()) {
    await requests.send({ reply_to: address, correlation_id: number, body });
    const { message, delivery } = await answers.receive();
    delivery.accept();
    assert.deepEqual([message.body, message.correlation_id], [body.toUpperCase(), number]);
  }
});

using('dynamic-source-ends-with-its-link', async (session) => {
  const receiver = await session.receiver(null, { source: { dynamic: true, capabilities: ['temporary-queue'] } });
  const { address } = receiver.link.source;
  await receiver.close();
  await session.expectRefused('amqp:not-found', () => session.receiver(address));
});

using('selector', async (session) => {
  const queue = await session.queue();
  const sender = await session.sender(queueAddress(queue));
  for (const [body, colour] of ['red', 'green', 'blue', 'green'].entries()) {
    await sender.send({ body, application_properties: { colour } });
  }
  // rhea names it jms-selector and describes it by number.
  const receiver = await session.receiver(queueAddress(queue), { source: { filter: rhea.filter.selector("colour = 'green'") } });
  assert(receiver.link.source.filter?.['jms-selector'], 'the filter is in effect');
  receiver.link.add_credit(10);
  assert.deepEqual(bodiesOf(await receiver.take(2)), [1, 3]);
  await session.expectReady(queue, 2);
});

using('browse', async (session) => {
  const queue = await session.queue();
  await session.fill(queue, 0, 1, 2);
  const browser = await session.receiver(queueAddress(queue), { source: { distribution_mode: 'copy' } });
  await browser.drain(10);
  assert.deepEqual(bodiesOf(await browser.take(3)), [0, 1, 2]);
  await session.expectReady(queue, 3);
});

using('durable-subscription', async (session) => {
  const queue = await session.queue();
  const options = { name: unique('subscription'), source: { durable: 2, expiry_policy: 'never' } };
  const first = await session.receiver(queueAddress(queue), options);
  await session.fill(queue, 0, 1);
  first.link.add_credit(2);
  (await first.take(2))[0].delivery.accept();
  first.link.detach();
  await within(first.closed, 'detach');
  await session.fill(queue, 2);
  const second = await session.receiver(queueAddress(queue), options);
  second.link.add_credit(5);
  assert.deepEqual(bodiesOf(await second.take(2)), [1, 2]);
});

using('queue-deleted-under-receiver', async (session) => {
  const queue = await session.queue();
  const receiver = await session.receiver(queueAddress(queue));
  const failed = nextEvent(receiver.link, 'receiver_error');
  await session.channel.deleteQueue(queue);
  await within(failed, 'detach');
  assert.equal(receiver.link.error.condition, 'amqp:resource-deleted');
});
