// The event loop looks for the result of a short call before it sleeps, and learns when that is in vain.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const looking = require('../dist/looking.js');

/** How many calls begin without looking until one looks. */
function leftOut() {
  let calls = 0;
  while (!looking.begins()) calls += 1;
  return calls;
}

test('after each time in vain twice as many calls do not look, until one has found its result', () => {
  const seen = [];
  for (let n = 0; n < 9; n += 1) {
    seen.push(leftOut());
    looking.ends(false);
  }
  assert.deepEqual(seen, [0, 1, 2, 4, 8, 16, 32, 64, 64]);
  assert.equal(leftOut(), 64);
  looking.ends(true);
  assert.equal(leftOut(), 0);
  looking.ends(true);
});

test('while the loop looks for one result, it does not begin to look for another', () => {
  assert.equal(looking.begins(), true);
  assert.equal(looking.begins(), false);
  looking.ends(true);
  assert.equal(looking.goesOn(), false);
});
