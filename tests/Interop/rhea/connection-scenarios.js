'use strict';

// Opening, sessions, and what happens when a connection is lost.

const assert = require('node:assert/strict');
const net = require('node:net');
const { unique, until, within } = require('../node-harness/harness');
const { connect, nextEvent, queueAddress, using } = require('./session');

/** Hands bytes on to the broker, until it is told to cut its connections. */
class Relay {
  static async to(uri) {
    const { hostname, port } = new URL(uri);
    const relay = new Relay();
    relay.sockets = new Set();
    relay.server = net.createServer((client) => {
      const broker = net.connect(Number(port || 5672), hostname);
      for (const socket of [client, broker]) {
        relay.sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => relay.sockets.delete(socket));
      }
      client.pipe(broker).pipe(client);
    });
    await new Promise((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port() {
    return this.server.address().port;
  }

  cut() {
    for (const socket of this.sockets) socket.end();
  }

  close() {
    this.cut();
    this.server.close();
  }
}

using('open-properties', async ({ connection }) => {
  assert.equal(typeof connection.properties.product, 'string');
  assert.equal(typeof connection.properties.version, 'string');
  assert([connection.offered_capabilities].flat().includes('ANONYMOUS-RELAY'));
  assert(connection.container_id);
});

using('wrong-password-refused', async (session) => {
  await assert.rejects(() => connect(session.uri, { password: 'wrong' }), (error) => error.condition === 'amqp:unauthorized-access');
});

using('unknown-virtual-host-refused', async (session) => {
  const connection = await connect(session.uri, { hostname: `vhost:${unique('none')}` }).catch((error) => error);
  if (!(connection instanceof Error)) {
    if (!connection.error) await within(nextEvent(connection, 'connection_error'), 'close');
    assert.equal(connection.error.condition, 'amqp:not-found');
  } else {
    assert.equal(connection.condition, 'amqp:not-found');
  }
});

using('heartbeats-while-idle', async (session) => {
  const connection = await session.connect({ idle_time_out: 1000 });
  let frames = 0;
  connection.socket.on('data', () => { frames += 1; });
  await until(() => frames >= 4, 'empty frames');
  assert(connection.is_open());
});

using('several-sessions', async (session) => {
  const sessions = [...Array(10)].map(() => session.connection.create_session());
  for (const one of sessions) one.begin();
  const queue = await session.queue();
  const receivers = await Promise.all(sessions.map((one) => session.receiver(queueAddress(queue), {}, one)));
  for (const { link } of receivers) link.add_credit(1);
  await session.fill(queue, ...Array(10).keys());
  for (const receiver of receivers) (await receiver.take(1))[0].delivery.accept();
  // The end of a session returns what it had, and leaves the others alone.
  await session.fill(queue, 'unsettled');
  receivers[0].link.add_credit(1);
  await receivers[0].take(1);
  const closed = nextEvent(sessions[0], 'session_close');
  sessions[0].close();
  await within(closed, 'end');
  await session.expectReady(queue, 1);
  assert.equal((await receivers[1].receive()).message.body, 'unsettled');
});

using('reconnect', async (session) => {
  const queue = await session.queue();
  const relay = await Relay.to(session.uri);
  try {
    const connection = await session.connect({ host: '127.0.0.1', port: relay.port, reconnect: true, initial_reconnect_delay: 10 });
    const receiver = connection.open_receiver({ source: queueAddress(queue), credit_window: 10, autoaccept: true });
    const sender = connection.open_sender(queueAddress(queue));
    const received = [];
    receiver.on('message', ({ message }) => received.push(message.body));
    for (let round = 0; round < 3; round++) {
      await until(() => sender.sendable(), 'credit');
      sender.send({ body: round });
      await until(() => received.includes(round), `message ${round}`);
      if (round === 2) break;
      const reopened = nextEvent(connection, 'connection_open');
      relay.cut();
      await within(reopened, 'the connection again');
    }
    connection.close();
  } finally {
    relay.close();
  }
});

using('lost-connection-returns-messages', async (session) => {
  const queue = await session.queue();
  await session.fill(queue, 'x');
  const relay = await Relay.to(session.uri);
  try {
    const lost = await session.connect({ host: '127.0.0.1', port: relay.port });
    const receiver = await session.receiver(queueAddress(queue), {}, lost);
    await receiver.receive();
    const disconnected = nextEvent(lost, 'disconnected');
    relay.cut();
    await within(disconnected, 'the loss');
    await session.expectReady(queue, 1);
  } finally {
    relay.close();
  }
});
