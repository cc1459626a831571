'use strict';

const assert = require('node:assert/strict');
const amqp = require('amqplib');
const rhea = require('rhea');
const { scenario, unique, within, until } = require('../node-harness/harness');

const queueAddress = (queue) => `/queues/${encodeURIComponent(queue)}`;

const exchangeAddress = (exchange, key) =>
  `/exchanges/${encodeURIComponent(exchange)}${key === undefined ? '' : `/${encodeURIComponent(key)}`}`;

/** What rhea's connect takes for the URI of a 0-9-1 client, which names the virtual host in its path. */
function connectionOptions(uri, changes = {}) {
  const { hostname, port, username, password, pathname } = new URL(uri);
  const options = {
    host: hostname,
    port: Number(port || 5672),
    username: decodeURIComponent(username || 'guest'),
    password: decodeURIComponent(password || 'guest'),
    reconnect: false,
  };
  const virtualHost = decodeURIComponent(pathname.slice(1)) || '/';
  if (virtualHost !== '/') options.hostname = `vhost:${virtualHost}`;
  return { ...options, ...changes };
}

/** The first of the events, or an error with the condition that the broker sent. */
function nextEvent(emitter, wanted, failures = []) {
  return new Promise((resolve, reject) => {
    emitter.once(wanted, resolve);
    for (const failure of failures) {
      emitter.once(failure, (context) => {
        const error = context.error ?? (context.receiver ?? context.sender ?? context.session ?? context.connection)?.error;
        reject(Object.assign(new Error(`${failure}: ${error?.condition} ${error?.description ?? error?.message ?? ''}`), { condition: error?.condition }));
      });
    }
  });
}

async function connect(uri, changes) {
  const container = rhea.create_container({ id: unique('container') });
  container.on('error', (error) => console.error(error));
  const connection = container.connect(connectionOptions(uri, changes));
  // A session that the broker ends would otherwise show as a time-out alone.
  connection.on('session_error', (context) => console.error('session ended:', context.session.error));
  await within(nextEvent(connection, 'connection_open', ['connection_error', 'connection_close', 'disconnected']), 'open');
  return connection;
}

/** A connection of each protocol: rhea's for the scenario, amqplib's to declare and to look. */
class Session {
  static async using(uri, run, changes) {
    const session = new Session();
    session.uri = uri;
    session.connections = [];
    session.queues = [];
    session.exchanges = [];
    session.admin = await within(amqp.connect(uri, { noDelay: true }), 'the connection of amqplib');
    session.admin.on('error', (error) => console.error(error));
    try {
      session.channel = await session.admin.createChannel();
      session.channel.on('error', (error) => console.error(error));
      session.connection = await session.connect(changes);
      await run(session);
    } finally {
      for (const connection of session.connections) connection.close();
      const cleaner = await session.admin.createChannel();
      for (const queue of session.queues) await cleaner.deleteQueue(queue);
      for (const exchange of session.exchanges) await cleaner.deleteExchange(exchange);
      await within(session.admin.close(), 'connection.close-ok');
    }
  }

  async connect(changes) {
    const connection = await connect(this.uri, changes);
    this.connections.push(connection);
    return connection;
  }

  /** Durable and not exclusive: an exclusive queue belongs to the connection that declares it. */
  async queue(options = {}) {
    const { queue } = await this.channel.assertQueue(unique('queue'), options);
    this.queues.push(queue);
    return queue;
  }

  async queueWithGraveyard(options = {}) {
    const graveyard = await this.queue();
    return [await this.queue({ deadLetterExchange: '', deadLetterRoutingKey: graveyard, ...options }), graveyard];
  }

  async exchange(kind) {
    const { exchange } = await this.channel.assertExchange(unique(kind), kind);
    this.exchanges.push(exchange);
    return exchange;
  }

  /** Counts may lag behind what 1.0 connections were told, so this waits for the count. */
  async expectReady(queue, count) {
    await until(async () => (await this.channel.checkQueue(queue)).messageCount === count, `${count} ready messages`);
  }

  /** The next message as 0-9-1 sees it. Waits for it. */
  async get(queue) {
    let message = false;
    await until(async () => (message = await this.channel.get(queue, { noAck: true })), `a message in ${queue}`);
    return message;
  }

  async sender(address, options = {}, parent = this.connection) {
    const link = parent.open_sender({ target: address === null ? {} : { address }, ...options });
    await opened(link, 'sender');
    return new Sender(link);
  }

  /** Without credit and without settlement of rhea's own, unless options say otherwise. */
  async receiver(address, options = {}, parent = this.connection) {
    const { source, ...others } = options;
    const link = parent.open_receiver({
      credit_window: 0, autoaccept: false, source: { ...(address === null ? {} : { address }), ...source }, ...others,
    });
    const receiver = new Receiver(link);
    await opened(link, 'receiver');
    return receiver;
  }

  async fill(queue, ...bodies) {
    const sender = await this.sender(queueAddress(queue));
    for (const body of bodies) await sender.send({ body, durable: true });
    await sender.close();
  }

  async expectRefused(condition, open) {
    await assert.rejects(open, (error) => {
      assert.equal(error.condition, condition, String(error));
      return true;
    });
  }
}

async function opened(link, kind) {
  const failed = nextEvent(link, 'never', [`${kind}_error`, `${kind}_close`]);
  failed.catch(() => {});
  await within(Promise.race([nextEvent(link, `${kind}_open`), failed]), 'attach');
  // A refusal: attach without the terminus, then detach with the error (1.0 part 2, section 2.6.3). rhea keeps the null in an object.
  const terminus = kind === 'sender' ? link.target : link.source;
  if (!Array.isArray(terminus?.value)) await within(failed, 'detach of the refused link');
}

class Link {
  constructor(link, kind) {
    this.link = link;
    this.kind = kind;
    this.closed = nextEvent(link, `${kind}_close`);
  }

  async close() {
    this.link.close();
    await within(this.closed, 'detach');
  }
}

class Sender extends Link {
  constructor(link) {
    super(link, 'sender');
    this.waiting = new Map();
    for (const outcome of ['accepted', 'rejected', 'released', 'modified']) {
      link.on(outcome, (context) => {
        this.waiting.get(context.delivery)?.({ outcome, error: context.delivery.remote_state?.error });
        this.waiting.delete(context.delivery);
      });
    }
  }

  /** The outcome that the broker answers with, and the error of a rejected one. */
  async outcome(message) {
    await until(() => this.link.sendable(), 'credit');
    const delivery = this.link.send(message);
    return within(new Promise((resolve) => this.waiting.set(delivery, resolve)), 'an outcome');
  }

  async send(message) {
    const { outcome, error } = await this.outcome(message);
    assert.equal(outcome, 'accepted', String(error));
  }
}

class Receiver extends Link {
  constructor(link) {
    super(link, 'receiver');
    this.received = [];
    link.on('message', ({ message, delivery }) => this.received.push({ message, delivery }));
  }

  get bodies() {
    return this.received.map(({ message }) => message.body);
  }

  /** Waits until count messages were received since the last take. */
  async take(count) {
    await until(() => this.received.length >= count, `${count} messages`);
    assert.equal(this.received.length, count, 'messages received');
    return this.received.splice(0);
  }

  async receive() {
    this.link.add_credit(1);
    return (await this.take(1))[0];
  }

  async drain(credit) {
    const drained = nextEvent(this.link, 'receiver_drained');
    this.link.add_credit(credit);
    this.link.drain_credit();
    await within(drained, 'the end of drain');
    this.link.drain = false;
  }
}

function using(name, run, changes) {
  scenario(name, (uri) => Session.using(uri, run, changes));
}

module.exports = { Session, connect, connectionOptions, exchangeAddress, nextEvent, queueAddress, using };
