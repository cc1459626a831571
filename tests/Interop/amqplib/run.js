#!/usr/bin/env node
'use strict';

const { main } = require('../node-harness/harness');
require('./scenarios');
require('./queue-features');

main(process.argv.slice(2)).then((code) => {
  // Connections of failed scenarios would keep the process alive.
  process.exit(code);
});
