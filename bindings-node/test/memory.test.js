// The memory of a process stays where it is, however many calls it makes.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { ran } = require('./support');

/** How many calls of each kind: 100,000 and more together. */
const CALLS = {
  get: 40_000,
  page: 10_000,
  refused: 10_000,
  wrong: 20_000,
  aborted: 10_000,
  storage: 10_000,
  thrown: 10_000,
  handles: 20_000,
  platforms: 10_000,
};

/** How much it may grow between the middle and the end, in bytes: allocators keep what was freed. */
const TOLERANCE = 16 * 2 ** 20;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

for (const [kind, calls] of Object.entries(CALLS)) {
  test(`memory after ${calls} calls: ${kind}`, async (t) => {
    const { code, stdout, stderr } = await ran('memory-program.js', [kind, calls], {
      node: ['--expose-gc'],
    });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const tenths = stdout.trim().split('\n').map(Number);
    t.diagnostic(`MiB: ${tenths.map((bytes) => Math.round(bytes / 2 ** 20)).join(' ')}`);
    assert.equal(tenths.length, 10);
    const [middle, end] = [median(tenths.slice(3, 6)), median(tenths.slice(7))];
    assert.ok(
      end - middle < TOLERANCE,
      `it has grown by ${Math.round((end - middle) / 1_024)} KiB`,
    );
  });
}
