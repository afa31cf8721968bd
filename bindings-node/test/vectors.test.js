// The vectors, all of them: Node.js says the same as every other language.
'use strict';

const assert = require('node:assert/strict');
const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { after, test } = require('node:test');

const { Agency, Platform, fieldCodes } = require('..');
const { OPERATIONS, camel } = require('./surface');
const { cases, run } = require('./vectors');

const CASES = cases();
const RESULTS = join(__dirname, '..', '..', 'target', 'parity', 'node.json');

/** What tests/parity reads: whether each case has held. */
const results = {};
rmSync(RESULTS, { force: true });
after(() => {
  mkdirSync(join(RESULTS, '..'), { recursive: true });
  writeFileSync(RESULTS, JSON.stringify(results, null, 1));
});

test('there are vectors', () => assert.ok(CASES.size > 40, `${CASES.size} cases`));

for (const [name, of] of CASES) {
  test(name, async () => {
    results[name] = false;
    await run(of);
    results[name] = true;
  });
}

/** The field codes in what a step must give; a country's code is another kind. */
function codes(value) {
  if (Array.isArray(value)) return value.flatMap(codes);
  if (typeof value !== 'object' || value === null || 'calling_code' in value) return [];
  const here = [value.code, value.refused].filter((code) => typeof code === 'string');
  return [...here, ...Object.values(value).flatMap(codes)];
}

test('every field code is expected', () => {
  const steps = [...CASES.values()].flatMap((of) => of.steps);
  const expected = new Set(steps.flatMap((step) => [step.gives, step.fails]).flatMap(codes));
  assert.deepEqual(
    [...expected].sort(),
    fieldCodes()
      .map(({ slug }) => slug)
      .sort(),
  );
});

test('the handles have every operation of the surface', () => {
  for (const [of, handle] of Object.entries({ platform: Platform, agency: Agency })) {
    const names = [...OPERATIONS[of].keys()];
    const missing = names.filter((name) => typeof handle.prototype[camel(name)] !== 'function');
    assert.deepEqual(missing, [], of);
  }
});
