'use strict';

// node run.js --list | URI NAME | URI all; "all" prints "ok NAME" or "FAILED NAME: cause" for each.

const crypto = require('node:crypto');

const SCENARIO_MS = 15000;
const WAIT_MS = 8000;
const scenarios = new Map();

function scenario(name, run) {
  if (scenarios.has(name)) throw new Error(`two scenarios are called ${name}`);
  scenarios.set(name, run);
}

function unique(kind) {
  return `interop.${kind}.${crypto.randomBytes(6).toString('hex')}`;
}

async function within(promise, what, milliseconds = WAIT_MS) {
  let timer;
  const overdue = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), milliseconds);
  });
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(condition, what) {
  const deadline = Date.now() + WAIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function causeOfFailure(uri, name) {
  try {
    await within(scenarios.get(name)(uri), `the end of ${name}`, SCENARIO_MS);
    return null;
  } catch (error) {
    console.error(error);
    return String(error).replace(/\s+/g, ' ').slice(0, 1000);
  }
}

async function main([uri, wanted]) {
  if (uri === '--list' || wanted === '--list') {
    console.log([...scenarios.keys()].join('\n'));
    return 0;
  }
  if (wanted !== 'all' && !scenarios.has(wanted)) {
    console.error('usage: run.js --list | URI NAME | URI all');
    return 2;
  }

  const names = wanted === 'all' ? [...scenarios.keys()] : [wanted];
  let failures = 0;
  for (const name of names) {
    const cause = await causeOfFailure(uri, name);
    if (cause !== null) failures += 1;
    if (wanted === 'all') console.log(cause === null ? `ok ${name}` : `FAILED ${name}: ${cause}`);
    else if (cause !== null) console.log(cause);
  }
  return failures === 0 ? 0 : 1;
}

module.exports = { scenario, unique, within, until, main };
