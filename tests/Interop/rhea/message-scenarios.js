'use strict';

// What is in a message comes out as it went in.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const rhea = require('rhea');
const { exchangeAddress, queueAddress, using } = require('./session');

const { types } = rhea;

async function throughTheBroker(session, message) {
  const queue = await session.queue();
  const sender = await session.sender(queueAddress(queue));
  await sender.send(message);
  const receiver = await session.receiver(queueAddress(queue));
  const { message: received, delivery } = await receiver.receive();
  delivery.accept();
  return received;
}

/** The message as rhea itself reads it back. */
const asDecoded = (message) => rhea.message.decode(rhea.message.encode(message));

using('round-trip-properties', async (session) => {
  const sent = {
    message_id: 'message', user_id: Buffer.from(new URL(session.uri).username || 'guest'), to: '/some/where', subject: 'subject', reply_to: '/queues/replies',
    correlation_id: 'correlation', content_type: 'text/plain', content_encoding: 'gzip', absolute_expiry_time: 4102444800000,
    creation_time: 1700000000123, group_id: 'group', group_sequence: 7, reply_to_group_id: 'reply-group',
    durable: true, priority: 7, body: 'x',
  };
  const received = await throughTheBroker(session, sent);
  const expected = asDecoded(sent);
  for (const name of Object.keys(sent)) assert.deepEqual(received[name], expected[name], name);
});

using('round-trip-application-properties', async (session) => {
  const application_properties = {
    string: 'grüße', null: null, true: true, int: -7, big: 2 ** 40, double: 0.5, ubyte: types.wrap_ubyte(200),
    ulong: types.wrap_ulong(2 ** 40), timestamp: types.wrap_timestamp(1700000000123), binary: types.wrap_binary(Buffer.from([0, 255])),
    symbol: types.wrap_symbol('symbol'), float: types.wrap_float(0.25), byte: types.wrap_byte(-1), short: types.wrap_short(-300),
    uuid: types.wrap_uuid(Buffer.from('00112233445566778899aabbccddeeff', 'hex')), char: types.wrap_char(0x1F600),
  };
  const sent = { body: 'x', application_properties };
  const received = await throughTheBroker(session, sent);
  assert.deepEqual({ ...received.application_properties }, { ...asDecoded(sent).application_properties });
});

using('round-trip-annotations', async (session) => {
  const message_annotations = { 'x-opt-list': [1, 'two', [3]], 'x-opt-map': { key: 'value' }, 'x-opt-number': 7 };
  const received = await throughTheBroker(session, { body: 'x', message_annotations });
  for (const [key, value] of Object.entries(message_annotations)) assert.deepEqual(received.message_annotations[key], value, key);
});

using('round-trip-bodies', async (session) => {
  const { data_section, data_sections, sequence_section, sequence_sections } = rhea.message;
  const bodies = [
    'text', '', 7, null, true, [1, 'two', { three: 3 }], { key: [1] }, Buffer.from('bytes'),
    data_section(Buffer.from('data')), data_section(Buffer.alloc(0)), data_sections([Buffer.from('one'), Buffer.from('two')]),
    sequence_section([1, 'two']), sequence_sections([[1], [2, 3]]),
  ];
  for (const body of bodies) assert.deepEqual((await throughTheBroker(session, { body })).body, asDecoded({ body }).body);
});

using('large-message', async (session) => {
  const body = crypto.randomBytes(3 * 1024 * 1024);
  const received = await throughTheBroker(session, { body: rhea.message.data_section(body), durable: true });
  assert(received.body.content.equals(body));
}, { max_frame_size: 4096 });

using('many-large-messages', async (session) => {
  const queue = await session.queue();
  const sender = await session.sender(queueAddress(queue));
  const body = crypto.randomBytes(100000);
  await Promise.all([...Array(50)].map(() => sender.send({ body: rhea.message.data_section(body) })));
  const receiver = await session.receiver(queueAddress(queue), { credit_window: 5, autoaccept: true });
  const taken = await receiver.take(50);
  assert(taken.every(({ message }) => message.body.content.equals(body)));
  await session.expectReady(queue, 0);
}, { max_frame_size: 4096 });

using('topic-exchange', async (session) => {
  const exchange = await session.exchange('topic');
  const queue = await session.queue();
  await session.channel.bindQueue(queue, exchange, 'a.*');
  const sender = await session.sender(exchangeAddress(exchange, 'a.b'));
  await sender.send({ body: 'x' });
  const { message } = await (await session.receiver(queueAddress(queue))).receive();
  const { 'x-exchange': from, 'x-routing-key': key } = message.message_annotations;
  assert.deepEqual([from, key], [exchange, 'a.b']);
});
