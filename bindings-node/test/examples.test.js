// The examples in the package's documentation run as they stand there, and nothing lacks one.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { after, test } = require('node:test');

const surface = require('../../tests/surface.json');
const { dangling, documented } = require('./documented');
const { Scene } = require('./scene');

/** Types that the host implements or fills in, and that have to have an example. */
const TYPES = ['LegacyVerifier', 'Settings', 'KyselyStorage', 'migrations'];

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** The examples of operations, by the names of their methods. */
const operations = new Map(
  ['platform', 'agency'].flatMap((handle) =>
    surface[handle].map(({ name, examples }) => [
      `${handle[0].toUpperCase()}${handle.slice(1)}.${camel(name)}`,
      examples.javascript,
    ]),
  ),
);

const found = documented();

test('no function lacks an example', () => {
  const lacking = found.filter(({ examples }) => examples.length === 0);
  const needed = lacking.filter(({ name, isFunction }) => isFunction || TYPES.includes(name));
  assert.deepEqual(
    needed.map(({ name }) => name),
    [],
  );
  for (const type of TYPES)
    assert.ok(
      found.some(({ name }) => name === type),
      type,
    );
});

test('each operation has the example that is declared with it', () => {
  const shown = new Map(found.map(({ name, examples }) => [name, examples]));
  assert.ok(operations.size > 40);
  for (const [name, example] of operations) assert.deepEqual(shown.get(name), [example], name);
});

test('every link of the documentation has a target', () => {
  assert.deepEqual(dangling(), []);
});

/** Of each example its name, its code, and whether it is in TypeScript. */
const EXAMPLES = [
  ...[...operations].map(([name, code]) => ({ name, code, isTyped: false })),
  ...found
    .filter(({ name }) => !operations.has(name))
    .flatMap(({ name, examples }) => examples.map((code) => ({ name, code, isTyped: true }))),
];

const scene = new Scene();
after(() => scene.remove());

test('every example is right for TypeScript', () => {
  assert.equal(scene.diagnostics(EXAMPLES), '');
});

/** The one case that the example of a store's tests runs here. */
const CASE = 'an_agency_is_configured';

for (const example of EXAMPLES) {
  test(`the example of ${example.name}`, async () => {
    if (!example.code.includes("from 'node:test'")) return scene.run(example);
    // Its tests run in a process of their own, which does not report to the runner of this one.
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const one = `--test-name-pattern=^${CASE}$`;
    const ran = scene.enter(example);
    const printed = execFileSync(process.execPath, [one, ran], { env, encoding: 'utf8' });
    return assert.match(printed, /pass 1$/m);
  });
}

test('an example that shows an error fails without it', () => {
  for (const { name, code } of EXAMPLES) {
    assert.equal(code.split('catch (').length, code.split('assert.fail(').length, name);
  }
});
