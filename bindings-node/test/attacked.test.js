// What an attack on the package has found, and what must not come back.
'use strict';

const assert = require('node:assert/strict');
const { createReadStream, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');

const { Platform, logCalls } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');
const { draft, errorOf, folder, opened } = require('./support');

test('a listener that throws what cannot be looked at stops no call', async () => {
  const { agency } = await opened();
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const stop = logCalls(() => {
    throw proxy;
  });
  await agency.overview();
  stop();
  assert.equal((await agency.overview()).activeResellers, 0);
});

test('a value whose parts are shared is not read without end', async () => {
  const { agency, platform } = await opened();
  let shared = 'v';
  for (let i = 0; i < 7; i += 1) shared = Array(100).fill(shared);
  const error = await errorOf(agency.createReseller(draft({ metadata: shared })));
  assert.equal(error.code, 'validation');
  const [wrong] = platform.formErrors(draft({ phone: shared }));
  assert.deepEqual([wrong.field, wrong.code], ['phone.number', 'invalid']);
});

test('a mistyped option of an import writes nothing', async () => {
  const { agency } = await opened();
  for (const call of [
    () => agency.importCsv([''], { dryrun: true }),
    () => agency.exportCsv('nowhere', {}, { singal: undefined }),
  ]) {
    assert.match((await errorOf(call())).message, /there is no '(dryrun|singal)'/);
  }
});

const HEAD =
  'partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain\n';
const ROW = 'own_plans,Smile 😀 Ltd,a@b.example,+14155552671,Ann,a@c.example,+4930901820,acme\n';

test('a character may be in two pieces of a text', async () => {
  const { agency } = await opened();
  const text = HEAD + ROW;
  const cut = text.indexOf('😀') + 1;
  assert.equal((await agency.importCsv([text.slice(0, cut), text.slice(cut)])).created, 1);
  assert.equal((await agency.page()).resellers[0].name, 'Smile 😀 Ltd');
  for (const pieces of [[HEAD, '\ud800,'], [HEAD, '\ud800'], ['\udc00']]) {
    assert.equal((await errorOf(agency.importCsv(pieces))).name, 'TypeError');
  }
});

test('a source of which no more is read is closed', async (t) => {
  const { agency } = await opened();
  let closed = 0;
  const source = async function* () {
    try {
      yield HEAD;
      for (;;) yield ROW;
    } finally {
      closed += 1;
    }
  };
  const each = () => {
    throw new RangeError('enough');
  };
  assert.equal((await errorOf(agency.importCsv(source(), { each }))).name, 'RangeError');
  await new Promise(setImmediate);
  assert.equal(closed, 1);

  const file = join(folder(t), 'wrong.csv');
  writeFileSync(file, 'no,such,columns\n'.repeat(100_000));
  const stream = createReadStream(file);
  assert.equal((await errorOf(agency.importCsv(stream))).code, 'validation');
  await new Promise((resolve) => (stream.destroyed ? resolve() : stream.once('close', resolve)));
});

test('an import that is aborted ends, though its source never answers', async () => {
  const { agency } = await opened();
  const controller = new AbortController();
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        controller.abort();
        return new Promise(() => {});
      },
    }),
  };
  const { signal } = controller;
  assert.equal((await errorOf(agency.importCsv(source, { signal }))).name, 'AbortError');
});

test('a deadline that cannot be is refused', async () => {
  for (const deadline of [0, -1, 1.5, NaN, Infinity, 2 ** 31, 2 ** 32 + 5_000, null, '5']) {
    const error = await errorOf(Platform.withStorage(new AsyncMemoryStore(), { deadline }));
    assert.equal(error.code, 'configuration', String(deadline));
  }
});

test('a store that cannot say whether it is joined disturbs no other', async () => {
  const unhandled = [];
  const listen = (reason) => unhandled.push(reason);
  process.on('unhandledRejection', listen);
  for (const joined of [
    () => Promise.reject(new Error('later')),
    () => {
      throw new Error('at once');
    },
  ]) {
    const { agency } = await opened({}, Object.assign(new AsyncMemoryStore(), { joined }));
    const other = await opened();
    assert.equal((await other.agency.overview()).activeResellers, 0);
    assert.equal((await agency.overview()).activeResellers, 0);
  }
  await new Promise(setImmediate);
  process.off('unhandledRejection', listen);
  assert.deepEqual(unhandled, []);
});
