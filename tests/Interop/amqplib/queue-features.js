'use strict';

// What queues do with messages besides keeping them, with the names that amqplib gives to the arguments.

const assert = require('node:assert/strict');
const { unique, until } = require('../node-harness/harness');
const { using } = require('./scenarios');

const DEATH_FIELDS = ['count', 'exchange', 'queue', 'reason', 'routing-keys', 'time'];

function exclusive(options) {
  return { exclusive: true, durable: false, ...options };
}

function deadLettersTo(queue, options = {}) {
  return exclusive({ deadLetterExchange: '', deadLetterRoutingKey: queue, ...options });
}

async function nextMessage(session, queue) {
  let message = false;
  await until(async () => (message = await session.channel.get(queue, { noAck: true })), `a message in ${queue}`);
  return message;
}

using('dead-letter-headers', async (session) => {
  const graveyard = await session.queue();
  const queue = await session.queue(deadLettersTo(graveyard));
  session.channel.sendToQueue(queue, Buffer.from('x'), { headers: { mine: 'kept' }, expiration: 60000 });
  const doomed = await session.channel.get(queue);
  session.channel.nack(doomed, false, false);
  const letter = await nextMessage(session, graveyard);
  const { headers, expiration } = letter.properties;
  assert.equal(expiration, undefined);
  assert.equal(headers.mine, 'kept');
  assert.equal(headers['x-first-death-reason'], 'rejected');
  assert.equal(headers['x-first-death-queue'], queue);
  assert.equal(headers['x-first-death-exchange'], '');
  assert.equal(headers['x-death'].length, 1);
  const { time, ...death } = headers['x-death'][0];
  assert.equal(time['!'], 'timestamp');
  assert.deepEqual(Object.keys(headers['x-death'][0]).sort(), [...DEATH_FIELDS, 'original-expiration'].sort());
  assert.deepEqual({ ...death }, {
    count: 1, reason: 'rejected', queue, exchange: '', 'routing-keys': [queue], 'original-expiration': '60000',
  });
});

using('message-ttl-and-expiration', async (session) => {
  const graveyard = await session.queue();
  for (const [messageTtl, expiration] of [[50, 60000], [60000, 50], [0, undefined]]) {
    const queue = await session.queue(deadLettersTo(graveyard, { messageTtl }));
    session.channel.sendToQueue(queue, Buffer.from('x'), { expiration });
    const { properties } = await nextMessage(session, graveyard);
    assert.deepEqual([properties.headers['x-death'][0].queue, properties.headers['x-death'][0].reason], [queue, 'expired']);
  }
});

using('queue-expires', async (session) => {
  const { queue } = await session.channel.assertQueue(unique('queue'), exclusive({ expires: 50 }));
  const channel = await session.open();
  let returned = false;
  channel.on('return', () => { returned = true; });
  await until(async () => {
    channel.sendToQueue(queue, Buffer.from('x'), { mandatory: true });
    return returned;
  }, 'the end of the queue');
});

using('reject-publish-nacks', async (session) => {
  const queue = await session.queue(exclusive({ maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } }));
  const channel = await session.open({ confirms: true });
  const publish = (body) => new Promise((resolve) => channel.sendToQueue(queue, Buffer.from(body), {}, (error) => resolve(error === null)));
  assert.equal(await publish('kept'), true);
  assert.equal(await publish('refused'), false);
  assert.deepEqual(await session.drain(queue), ['kept']);
});

using('priority-queue', async (session) => {
  const queue = await session.queue(exclusive({ maxPriority: 3 }));
  for (const [body, priority] of [['low', 1], ['none', undefined], ['high', 3]]) session.channel.sendToQueue(queue, Buffer.from(body), { priority });
  await session.expectReady(queue, 3);
  assert.deepEqual(await session.drain(queue), ['high', 'low', 'none']);
});

using('single-active-consumer', async (session) => {
  const queue = await session.queue(exclusive({ arguments: { 'x-single-active-consumer': true } }));
  const active = await session.collect(queue, { noAck: true });
  const waiting = await session.collect(queue, { noAck: true });
  session.send(queue, '0');
  await until(() => active.messages.length === 1, 'a message for the first consumer');
  await session.channel.cancel(active.consumerTag);
  session.send(queue, '1');
  await until(() => waiting.messages.length === 1, 'a message for the second consumer');
  assert.deepEqual([active.bodies(), waiting.bodies()], [['0'], ['1']]);
});

using('exclusive-consumer', async (session) => {
  const queue = await session.queue();
  await session.collect(queue, { exclusive: true });
  await session.expectRefused(403, (channel) => channel.consume(queue, () => {}));
});

using('arguments-refused', async (session) => {
  for (const options of [{ expires: 0 }, { messageTtl: -1 }, { maxPriority: 256 }, { maxLength: -1 }, { deadLetterRoutingKey: 'key' }]) {
    await session.expectRefused(406, (channel) => channel.assertQueue(unique('queue'), exclusive(options)));
  }
  const queue = await session.queue(exclusive({ messageTtl: 1000 }));
  await session.expectRefused(406, (channel) => channel.assertQueue(queue, exclusive({ messageTtl: 2000 })));
});
