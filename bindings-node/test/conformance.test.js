// The storage contract, case by case, over the plainest storage in JavaScript.
'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { conformanceCases, runConformanceCase } = require('../dist/conformance');
const { AsyncMemoryStore } = require('./async-memory-store');

describe('a storage in memory', { concurrency: 8 }, () => {
  for (const name of conformanceCases()) {
    test(name, () => runConformanceCase(name, () => new AsyncMemoryStore()));
  }
});

test('the suite has its cases, and one that fails is an error', async () => {
  assert.ok(conformanceCases().length > 100);
  const failed = runConformanceCase('no such case', () => new AsyncMemoryStore());
  await assert.rejects(failed, /name of a conformance case/);
});
