'use strict';

// amqplib on one side of a message and rhea on the other.

const assert = require('node:assert/strict');
const rhea = require('rhea');
const { queueAddress, using } = require('./session');

const { data_section } = rhea.message;

using('from-amqplib', async (session) => {
  const queue = await session.queue();
  session.channel.sendToQueue(queue, Buffer.from('body'), {
    contentType: 'text/plain', contentEncoding: 'utf-8', persistent: true, priority: 3, correlationId: 'correlation', replyTo: 'replies',
    expiration: 60000, messageId: 'message', timestamp: 1700000000, type: 'kind', appId: 'application',
    headers: { colour: 'green', number: 7, half: 0.5, yes: true, table: { a: 1 }, list: [1], 'x-mine': 'annotated' },
  });
  const { message } = await (await session.receiver(queueAddress(queue))).receive();
  assert.equal(message.body.content.toString(), 'body');
  assert.deepEqual([message.content_type, message.content_encoding], ['text/plain', 'utf-8']);
  assert.deepEqual([message.durable, message.priority], [true, 3]);
  assert(message.ttl > 0 && message.ttl <= 60000, 'what is left of a minute');
  assert.deepEqual([message.message_id, message.correlation_id, message.reply_to], ['message', 'correlation', '/queues/replies']);
  assert.deepEqual([message.creation_time.getTime(), message.group_id], [1700000000000, 'application']);
  assert.deepEqual({ ...message.application_properties }, { colour: 'green', number: 7, half: 0.5, yes: true });
  const annotations = message.message_annotations;
  assert.deepEqual([annotations['x-mine'], annotations['x-basic-type'], annotations['x-routing-key']], ['annotated', 'kind', queue]);
});

using('to-amqplib', async (session) => {
  const queue = await session.queue();
  await (await session.sender(queueAddress(queue))).send({
    body: data_section(Buffer.from('body')), durable: true, priority: 3, ttl: 60000, message_id: 'message', correlation_id: 'correlation',
    content_type: 'text/plain', content_encoding: 'utf-8', creation_time: 1700000000123, group_id: 'application',
    application_properties: { colour: 'green', number: 7, half: 0.5, yes: true }, message_annotations: { 'x-mine': 'annotated' },
  });
  const { content, properties } = await session.get(queue);
  assert.equal(content.toString(), 'body');
  assert.deepEqual([properties.contentType, properties.contentEncoding], ['text/plain', 'utf-8']);
  assert.deepEqual([properties.deliveryMode, properties.priority, properties.expiration], [2, 3, '60000']);
  assert.deepEqual([properties.messageId, properties.correlationId], ['message', 'correlation']);
  assert.deepEqual([properties.timestamp, properties.appId], [1700000000, 'application']);
  const { colour, number, half, yes, 'x-mine': mine } = properties.headers;
  assert.deepEqual([colour, number, half, yes, mine], ['green', 7, 0.5, true, 'annotated']);
});

using('to-amqplib-other-bodies', async (session) => {
  const queue = await session.queue();
  const sender = await session.sender(queueAddress(queue));
  for (const body of ['text', { key: [1, 2] }, 7]) {
    await sender.send({ body });
    const { content, properties } = await session.get(queue);
    assert.equal(properties.type, 'amqp-1.0');
    assert.deepEqual(rhea.message.decode(content).body, body);
  }
});

using('dead-letter-of-amqplib', async (session) => {
  const [queue, graveyard] = await session.queueWithGraveyard();
  session.channel.sendToQueue(queue, Buffer.from('x'), {});
  await session.expectReady(queue, 1);
  session.channel.reject(await session.channel.get(queue), false);
  const { message } = await (await session.receiver(queueAddress(graveyard))).receive();
  const { 'x-first-death-reason': reason, 'x-first-death-queue': from } = message.message_annotations;
  assert.deepEqual([reason, from], ['rejected', queue]);
});
