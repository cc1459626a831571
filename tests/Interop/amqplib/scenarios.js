'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const amqp = require('amqplib');
const { scenario, unique, within, until } = require('../node-harness/harness');

const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';

/** A connection with one channel, and what is to be deleted at its end. */
class Session {
  static async using(uri, run, parameters = {}) {
    const session = new Session();
    session.connection = await connect(uri, parameters);
    session.channel = await session.open();
    session.queues = [];
    session.exchanges = [];
    try {
      await run(session);
      const cleaner = await session.open();
      for (const queue of session.queues) await cleaner.deleteQueue(queue);
      for (const exchange of session.exchanges) await cleaner.deleteExchange(exchange);
    } finally {
      await within(session.connection.close(), 'connection.close-ok');
    }
  }

  async open({ confirms = false } = {}) {
    const channel = await (confirms ? this.connection.createConfirmChannel() : this.connection.createChannel());
    // Without a listener an expected channel error would end the process.
    channel.closedWith = new Promise((resolve) => channel.once('error', resolve));
    return channel;
  }

  /** An exclusive queue unless options say otherwise. */
  async queue(options = { exclusive: true, durable: false }) {
    const { queue } = await this.channel.assertQueue(unique('queue'), options);
    this.queues.push(queue);
    return queue;
  }

  async exchange(kind, options = {}) {
    const { exchange } = await this.channel.assertExchange(unique(kind), kind, options);
    this.exchanges.push(exchange);
    return exchange;
  }

  async boundQueue(exchange, keys, table) {
    const queue = await this.queue();
    for (const key of keys) await this.channel.bindQueue(queue, exchange, key, table);
    return queue;
  }

  async collect(queue, options = {}, channel = this.channel) {
    const messages = [];
    const { consumerTag } = await channel.consume(queue, (message) => messages.push(message), options);
    return { consumerTag, messages, bodies: () => messages.map((message) => message && message.content.toString()) };
  }

  send(queue, ...bodies) {
    for (const body of bodies) this.channel.sendToQueue(queue, Buffer.from(body));
  }

  async drain(queue) {
    const bodies = [];
    for (let message; (message = await this.channel.get(queue, { noAck: true })); ) bodies.push(message.content.toString());
    return bodies;
  }

  /** Counts may overtake publishes in the broker, even on one channel, so this waits for the count. */
  async expectReady(queue, count) {
    await until(async () => (await this.channel.checkQueue(queue)).messageCount === count, `${count} ready messages`);
  }

  async expectRefused(code, use, options) {
    const channel = await this.open(options);
    try {
      await within(Promise.resolve(use(channel)), 'the refused method');
    } catch {
      // A method with an answer is rejected; a method without one is not.
    }
    const error = await within(channel.closedWith, 'channel.close');
    assert.equal(error.code, code, String(error));
    await this.expectUsable();
  }

  async expectUsable() {
    const channel = await this.open();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    channel.sendToQueue(queue, Buffer.from('alive'));
    assert.equal((await channel.get(queue, { noAck: true })).content.toString(), 'alive');
    await channel.deleteQueue(queue);
    await channel.close();
  }
}

async function connect(uri, parameters) {
  const address = new URL(uri);
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  const connection = await within(amqp.connect(address.href, { noDelay: true }), 'the connection');
  connection.on('error', (error) => console.error(error));
  return connection;
}

function using(name, run) {
  scenario(name, (uri) => Session.using(uri, (session) => run(session, uri)));
}

// --- queues and consumers ---

using('work-queue-fair-prefetch', async (session) => {
  const queue = await session.queue();
  const workers = [];
  for (let number = 0; number < 2; number++) {
    const channel = await session.open();
    await channel.prefetch(1);
    workers.push({ channel, ...(await session.collect(queue, {}, channel)) });
  }
  session.send(queue, ...'0123456789');
  for (let turn = 1; turn <= 5; turn++) {
    await until(() => workers.every(({ messages }) => messages.length === turn), 'a task for each worker');
    await session.expectReady(queue, 10 - 2 * turn);
    for (const { channel, messages } of workers) channel.ack(messages.at(-1));
  }
});

using('multiple-consumers-one-channel', async (session) => {
  const consumers = [];
  for (let number = 0; number < 3; number++) {
    const queue = await session.queue();
    consumers.push({ queue, ...(await session.collect(queue, { noAck: true })) });
    session.send(queue, queue);
  }
  await until(() => consumers.every(({ messages }) => messages.length === 1), 'one delivery for each');
  for (const { queue, consumerTag, messages } of consumers) {
    assert.equal(messages[0].content.toString(), queue);
    assert.equal(messages[0].fields.consumerTag, consumerTag);
  }
});

using('qos-per-consumer', async (session) => {
  const [first, second] = [await session.queue(), await session.queue()];
  session.send(first, ...'01234');
  session.send(second, ...'01234');
  await session.channel.prefetch(1);
  const few = await session.collect(first);
  await session.channel.prefetch(3);
  const many = await session.collect(second);
  await until(() => few.messages.length >= 1 && many.messages.length >= 3, 'both prefetch windows');
  await session.expectReady(first, 4);
  await session.expectReady(second, 2);
});

using('consumer-priority', async (session) => {
  const queue = await session.queue();
  const low = await session.collect(queue);
  const preferred = await session.open();
  await preferred.prefetch(2);
  const high = await session.collect(queue, { priority: 10 }, preferred);
  session.send(queue, ...'0123');
  await until(() => low.messages.length + high.messages.length === 4, 'all deliveries');
  assert.deepEqual(high.bodies(), ['0', '1']);
  assert.deepEqual(low.bodies(), ['2', '3']);
});

using('consumer-cancel-by-client', async (session) => {
  const queue = await session.queue();
  const { consumerTag, messages } = await session.collect(queue);
  session.send(queue, 'before');
  await until(() => messages.length === 1, 'the delivery');
  await session.channel.cancel(consumerTag);
  session.send(queue, 'after');
  assert.deepEqual(await session.drain(queue), ['after']);
  session.channel.ack(messages[0]);
  assert.equal((await session.channel.checkQueue(queue)).consumerCount, 0);
});

using('consumer-cancel-notification', async (session) => {
  const queue = await session.queue({ durable: true });
  const { messages } = await session.collect(queue);
  await (await session.open()).deleteQueue(queue);
  await until(() => messages.length === 1, 'basic.cancel');
  assert.equal(messages[0], null);
  await session.expectUsable();
});

using('basic-get', async (session) => {
  const queue = await session.queue();
  assert.equal(await session.channel.get(queue), false);
  session.send(queue, 'first', 'second');
  const message = await session.channel.get(queue);
  assert.equal(message.content.toString(), 'first');
  assert.equal(message.fields.messageCount, 1);
  assert.equal(message.fields.redelivered, false);
  session.channel.ack(message);
  assert.deepEqual(await session.drain(queue), ['second']);
});

using('nack-requeue-keeps-position', async (session) => {
  const queue = await session.queue();
  session.send(queue, '0', '1');
  session.channel.nack(await session.channel.get(queue), false, true);
  const again = await session.channel.get(queue);
  assert.deepEqual([again.content.toString(), again.fields.redelivered], ['0', true]);
  const next = await session.channel.get(queue);
  assert.deepEqual([next.content.toString(), next.fields.redelivered], ['1', false]);
});

using('ack-all-and-nack-all', async (session) => {
  const queue = await session.queue();
  session.send(queue, ...'0123');
  for (let number = 0; number < 2; number++) await session.channel.get(queue);
  session.channel.nackAll(true);
  const bodies = [];
  for (let number = 0; number < 4; number++) bodies.push((await session.channel.get(queue)).content.toString());
  assert.deepEqual(bodies, ['0', '1', '2', '3']);
  session.channel.ackAll();
  await session.channel.recover();
  assert.deepEqual(await session.drain(queue), []);
});

using('reject-without-requeue', async (session) => {
  const queue = await session.queue();
  session.send(queue, 'unwanted', 'wanted');
  session.channel.reject(await session.channel.get(queue), false);
  assert.deepEqual(await session.drain(queue), ['wanted']);
});

using('basic-recover', async (session) => {
  const queue = await session.queue();
  const { messages, bodies } = await session.collect(queue);
  session.send(queue, '0', '1');
  await until(() => messages.length === 2, 'the deliveries');
  await session.channel.recover();
  await until(() => messages.length === 4, 'the redeliveries');
  assert.deepEqual(bodies(), ['0', '1', '0', '1']);
  assert.deepEqual(messages.map(({ fields }) => fields.redelivered), [false, false, true, true]);
});

using('exclusive-queue', async (other, uri) => {
  let queue;
  await Session.using(uri, async (owner) => {
    queue = await owner.queue();
    await other.expectRefused(405, (channel) => channel.checkQueue(queue));
    await other.expectRefused(405, (channel) => channel.consume(queue, () => {}));
    owner.queues.pop();
  });
  await other.expectRefused(404, (channel) => channel.checkQueue(queue));
});

using('auto-delete-queue', async (session) => {
  const queue = await session.queue({ durable: true, autoDelete: true });
  const { consumerTag } = await session.collect(queue);
  await session.channel.cancel(consumerTag);
  await until(async () => {
    const channel = await session.open();
    return channel.checkQueue(queue).then(() => channel.close()).then(() => false, (error) => error.code === 404);
  }, 'the queue to go');
});

using('server-named-queue', async (session) => {
  const first = await session.channel.assertQueue('', { exclusive: true });
  const second = await session.channel.assertQueue('', { exclusive: true });
  assert.match(first.queue, /^amq\.gen-/);
  assert.notEqual(first.queue, second.queue);
});

using('queue-purge', async (session) => {
  const queue = await session.queue();
  session.send(queue, ...'012');
  assert.equal((await session.channel.purgeQueue(queue)).messageCount, 3);
  assert.deepEqual(await session.drain(queue), []);
});

using('queue-delete-if-unused-if-empty', async (session) => {
  const queue = await session.queue();
  const { consumerTag } = await session.collect(queue);
  await session.expectRefused(406, (channel) => channel.deleteQueue(queue, { ifUnused: true }));
  await session.channel.cancel(consumerTag);
  session.send(queue, 'x');
  await session.expectReady(queue, 1);
  await session.expectRefused(406, (channel) => channel.deleteQueue(queue, { ifEmpty: true }));
  assert.equal((await session.channel.deleteQueue(queue)).messageCount, 1);
  assert.equal((await session.channel.deleteQueue(queue)).messageCount, 0);
});

// --- exchanges ---

using('publish-subscribe-fanout', async (session) => {
  const exchange = await session.exchange('fanout');
  const subscribers = [];
  for (let number = 0; number < 2; number++) {
    subscribers.push(await session.collect(await session.boundQueue(exchange, ['']), { noAck: true }));
  }
  session.channel.publish(exchange, 'any', Buffer.from('news'));
  await until(() => subscribers.every(({ messages }) => messages.length === 1), 'the broadcast');
  for (const { messages } of subscribers) assert.equal(messages[0].fields.exchange, exchange);
});

using('routing-direct', async (session) => {
  const exchange = await session.exchange('direct');
  const errors = await session.boundQueue(exchange, ['error']);
  const everything = await session.boundQueue(exchange, ['info', 'error']);
  for (const severity of ['info', 'error', 'unknown']) session.channel.publish(exchange, severity, Buffer.from(severity));
  assert.deepEqual(await session.drain(errors), ['error']);
  assert.deepEqual(await session.drain(everything), ['info', 'error']);
});

using('topics', async (session) => {
  const exchange = await session.exchange('topic');
  const star = await session.boundQueue(exchange, ['*.critical']);
  const hash = await session.boundQueue(exchange, ['kern.#']);
  for (const key of ['kern.critical', 'kern', 'kern.a.b', 'cron.critical', 'cron.a.critical']) {
    session.channel.publish(exchange, key, Buffer.from(key));
  }
  assert.deepEqual(await session.drain(star), ['kern.critical', 'cron.critical']);
  assert.deepEqual(await session.drain(hash), ['kern.critical', 'kern', 'kern.a.b']);
});

using('headers-exchange', async (session) => {
  const exchange = await session.exchange('headers');
  const every = await session.boundQueue(exchange, [''], { 'x-match': 'all', a: 1, b: '2' });
  const some = await session.boundQueue(exchange, [''], { 'x-match': 'any', a: 1, b: '2' });
  for (const [body, headers] of [['both', { a: 1, b: '2' }], ['one', { a: 1 }], ['other', { b: '3' }]]) {
    session.channel.publish(exchange, '', Buffer.from(body), { headers });
  }
  assert.deepEqual(await session.drain(every), ['both']);
  assert.deepEqual(await session.drain(some), ['both', 'one']);
});

using('exchange-to-exchange-binding', async (session) => {
  const [source, destination] = [await session.exchange('topic'), await session.exchange('fanout')];
  const queue = await session.boundQueue(destination, ['']);
  await session.channel.bindExchange(destination, source, 'log.#');
  session.channel.publish(source, 'log.error', Buffer.from('bound'));
  assert.deepEqual(await session.drain(queue), ['bound']);
  await session.channel.unbindExchange(destination, source, 'log.#');
  session.channel.publish(source, 'log.error', Buffer.from('unbound'));
  assert.deepEqual(await session.drain(queue), []);
});

using('alternate-exchange', async (session) => {
  const alternateExchange = await session.exchange('fanout');
  const exchange = await session.exchange('direct', { alternateExchange });
  const queue = await session.boundQueue(alternateExchange, ['']);
  session.channel.publish(exchange, 'unknown', Buffer.from('x'));
  assert.deepEqual(await session.drain(queue), ['x']);
});

// --- rpc ---

scenario('rpc-exclusive-reply-queue', (uri) =>
  rpc(uri, async (client) => (await client.channel.assertQueue('', { exclusive: true })).queue));

scenario('rpc-direct-reply-to', (uri) => rpc(uri, async () => DIRECT_REPLY_TO));

function rpc(uri, replyQueue) {
  return Session.using(uri, (server) => Session.using(uri, async (client) => {
    const requests = await server.queue({ durable: true });
    await server.channel.consume(requests, (message) => {
      if (message === null) return; // The clean-up deleted the queue.
      const { content, properties: { replyTo, correlationId } } = message;
      server.channel.sendToQueue(replyTo, Buffer.from(content.toString().toUpperCase()), { correlationId });
    }, { noAck: true });

    const replyTo = await replyQueue(client);
    const { messages } = await client.collect(replyTo, { noAck: true });
    for (const word of ['one', 'two']) {
      client.channel.sendToQueue(requests, Buffer.from(word), { replyTo, correlationId: word });
    }
    await until(() => messages.length === 2, 'the answers');
    for (const { content, properties } of messages) {
      assert.equal(content.toString(), properties.correlationId.toUpperCase());
    }
  }));
}

// --- confirms and returns ---

using('confirm-single', async (session) => {
  const queue = await session.queue();
  const channel = await session.open({ confirms: true });
  for (let number = 0; number < 20; number++) {
    await within(new Promise((resolve, reject) => {
      channel.sendToQueue(queue, Buffer.from('x'), {}, (error) => (error ? reject(error) : resolve()));
    }), 'the confirm');
  }
  assert.equal((await session.channel.checkQueue(queue)).messageCount, 20);
});

using('confirm-batch', async (session) => {
  const queue = await session.queue();
  const channel = await session.open({ confirms: true });
  for (let batch = 1; batch <= 3; batch++) {
    for (let number = 0; number < 50; number++) channel.sendToQueue(queue, Buffer.from('x'));
    await within(channel.waitForConfirms(), 'the confirms');
    assert.equal((await session.channel.checkQueue(queue)).messageCount, batch * 50);
  }
});

using('confirm-async', async (session) => {
  const queue = await session.queue();
  const channel = await session.open({ confirms: true });
  const confirmed = [];
  for (let number = 0; number < 500; number++) {
    channel.sendToQueue(queue, Buffer.from('x'), { persistent: number % 2 === 0 }, (error) => {
      if (error === null) confirmed.push(number);
    });
  }
  await until(() => confirmed.length === 500, 'all confirms');
  assert.equal(new Set(confirmed).size, 500);
});

using('mandatory-return-before-confirm', async (session) => {
  const channel = await session.open({ confirms: true });
  const seen = [];
  const missing = unique('missing');
  channel.on('return', ({ fields, content }) => seen.push(['return', fields.replyCode, fields.routingKey, content.toString()]));
  channel.sendToQueue(missing, Buffer.from('lost'), { mandatory: true }, (error) => seen.push(['confirm', error]));
  await until(() => seen.length === 2, 'return and confirm');
  assert.deepEqual(seen, [['return', 312, missing, 'lost'], ['confirm', null]]);
});

// --- errors ---

using('error-not-found', async (session) => {
  const queue = await session.queue();
  await session.expectRefused(404, (channel) => channel.checkQueue(unique('missing')));
  await session.expectRefused(404, (channel) => channel.checkExchange(unique('missing')));
  await session.expectRefused(404, (channel) => channel.consume(unique('missing'), () => {}));
  await session.expectRefused(404, (channel) => channel.get(unique('missing')));
  await session.expectRefused(404, (channel) => channel.bindQueue(queue, unique('missing'), ''));
  await session.expectRefused(404, (channel) => channel.publish(unique('missing'), '', Buffer.from('x')));
});

using('error-access-refused', async (session) => {
  const queue = await session.queue();
  await session.expectRefused(403, (channel) => channel.assertQueue(`amq.${unique('queue')}`, { exclusive: true }));
  await session.expectRefused(403, (channel) => channel.assertExchange(`amq.${unique('exchange')}`, 'direct'));
  await session.expectRefused(403, (channel) => channel.assertExchange('', 'direct'));
  await session.expectRefused(403, (channel) => channel.bindQueue(queue, '', 'key'));
});

using('error-inequivalent-argument', async (session) => {
  const [queue, exchange] = [await session.queue(), await session.exchange('direct')];
  await session.expectRefused(406, (channel) => channel.assertQueue(queue, { exclusive: true, durable: false, autoDelete: true }));
  await session.expectRefused(406, (channel) => channel.assertExchange(exchange, 'topic'));
});

using('error-unknown-delivery-tag', async (session) => {
  const unknown = { fields: { deliveryTag: 42 } };
  await session.expectRefused(406, (channel) => channel.ack(unknown));
  await session.expectRefused(406, (channel) => channel.nack(unknown));
  await session.expectRefused(406, (channel) => channel.reject(unknown));
});

using('error-double-ack', async (session) => {
  const queue = await session.queue();
  session.send(queue, 'x');
  await session.expectReady(queue, 1);
  await session.expectRefused(406, async (channel) => {
    const message = await channel.get(queue);
    channel.ack(message);
    channel.ack(message);
  });
});

using('channel-reopened-same-number', async (session) => {
  const numbers = new Set();
  for (let time = 0; time < 3; time++) {
    // amqplib takes the lowest free number.
    const channel = await session.open();
    numbers.add(channel.ch);
    channel.ack({ fields: { deliveryTag: 1 } });
    assert.equal((await within(channel.closedWith, 'channel.close')).code, 406);
  }
  assert.equal(numbers.size, 1);
  await session.expectUsable();
});

// --- contents ---

scenario('body-sizes', (uri) => Session.using(uri, (session) => roundTripBodies(session, 8192, [0, 1, 8184, 8185, 16384]), { frameMax: 8192 }));

using('body-10-mib', (session) => roundTripBodies(session, session.connection.connection.frameMax, [10 * 1024 * 1024]));

async function roundTripBodies(session, frameMax, sizes) {
  assert.equal(session.connection.connection.frameMax, frameMax);
  const queue = await session.queue();
  for (const size of sizes) {
    const body = crypto.randomBytes(size);
    session.channel.sendToQueue(queue, body);
    const got = await session.channel.get(queue, { noAck: true });
    assert.ok(got && body.equals(got.content), `a body of ${size} bytes came back as ${got && got.content.length}`);
  }
}

using('properties-round-trip', async (session, uri) => {
  const sent = {
    contentType: 'text/plain',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 7,
    correlationId: 'correlation ☃',
    replyTo: 'reply',
    messageId: 'm'.repeat(255),
    timestamp: 1700000000,
    type: 'type',
    userId: new URL(uri).username || 'guest',
    appId: 'app',
  };
  const queue = await session.queue();
  session.channel.sendToQueue(queue, Buffer.from('x'), sent);
  const { properties } = await session.channel.get(queue, { noAck: true });
  for (const [name, value] of Object.entries(sent)) assert.equal(properties[name], value, name);
});

using('header-types-round-trip', async (session) => {
  const tagged = {
    octet: { '!': 'int8', value: -100 },
    'unsigned octet': { '!': 'uint8', value: 200 },
    short: { '!': 'int16', value: -30000 },
    'unsigned short': { '!': 'uint16', value: 60000 },
    int: { '!': 'int32', value: -(2 ** 31) },
    'unsigned int': { '!': 'uint32', value: 2 ** 32 - 1 },
    long: { '!': 'int64', value: 2 ** 50 },
    float: { '!': 'float', value: 1.5 },
    double: { '!': 'double', value: 0.1 },
  };
  const plain = {
    string: 'text ☃',
    true: true,
    false: false,
    void: null,
    bytes: Buffer.from([0, 255]),
    table: { nested: { deep: 1 }, empty: {} },
    array: [1, 'two', [3, { four: 4.5 }], null],
    timestamp: { '!': 'timestamp', value: 1700000000 },
    decimal: { '!': 'decimal', value: { digits: 314, places: 2 } },
  };
  const queue = await session.queue();
  session.channel.sendToQueue(queue, Buffer.from('x'), { headers: { ...tagged, ...plain } });
  const { properties: { headers } } = await session.channel.get(queue, { noAck: true });
  const expected = { ...plain };
  for (const [name, { value }] of Object.entries(tagged)) expected[name] = value;
  assert.deepEqual(headers, expected);
});

// --- connections ---

using('thousand-channels', async (session) => {
  const queue = await session.queue();
  const channels = await Promise.all(Array.from({ length: 1000 }, () => session.open()));
  for (const channel of channels) channel.sendToQueue(queue, Buffer.from('x'));
  await session.expectReady(queue, 1000);
});

scenario('wrong-password', async (uri) => {
  const address = new URL(uri);
  address.password = 'wrong';
  await assert.rejects(connect(address.href, {}), /ACCESS[-_]REFUSED|403/);
});

scenario('unknown-virtual-host', async (uri) => {
  const address = new URL(uri);
  address.pathname = `/${unique('vhost')}`;
  // amqplib does not tell the reason of this connection.close.
  await assert.rejects(connect(address.href, {}), /ConnectionClose/);
});

scenario('connection-close', async (uri) => {
  const connection = await connect(uri, {});
  const closed = new Promise((resolve) => connection.once('close', resolve));
  await connection.createChannel();
  await within(connection.close(), 'connection.close-ok');
  await within(closed, 'the close event');
});

module.exports = { using };
