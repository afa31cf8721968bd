// A storage that fails, in every way JavaScript knows: the caller hears of it, the transaction
// is rolled back, and the process lives.
'use strict';

const assert = require('node:assert/strict');
const { after, test } = require('node:test');
const { setTimeout: wait } = require('node:timers/promises');

const { PartnerKitError, Platform } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');
const { draft, opened } = require('./support');

const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
after(() => assert.deepEqual(unhandled, []));

const never = () => new Promise(() => {});

/** Milliseconds: long for a storage in memory, short for a test. */
const deadline = 400;

/** Makes a method of every transaction do something else, until it is restored. */
function replace(store, method, other) {
  const begin = store.begin;
  store.begin = async (...args) => {
    const transaction = await begin.apply(store, args);
    const original = transaction[method].bind(transaction);
    transaction[method] = (...rest) => other(original, ...rest);
    return transaction;
  };
  return () => delete store.begin;
}

const METHODS = { put: 'tell', add: 'tell' };

/** Makes a batch fail that has a verb in it; the method that it is part of. */
function breakVerb(store, verb, fail) {
  const method = METHODS[verb] ?? 'ask';
  const other = (original, batch) =>
    batch.some((part) => part.verb === verb) ? fail(original, batch) : original(batch);
  return { method, restore: replace(store, method, other) };
}

/** Makes the answer to a verb another one. */
function answer(store, verb, wrong) {
  return replace(store, 'ask', async (original, questions) => {
    const answers = await original(questions);
    return answers.map((right, i) => (questions[i].verb === verb ? wrong(right) : right));
  });
}

/** The error of a create, and what the storage was called for it. */
async function failed({ agency, store }) {
  store.calls.length = 0;
  const error = await agency.createReseller(draft()).then(
    () => assert.fail('created'),
    (e) => e,
  );
  assert.ok(error instanceof PartnerKitError, String(error?.stack));
  return { error, calls: [...store.calls] };
}

/** Nothing was written, and nothing is held: the next create succeeds. */
async function unharmed({ agency, store }) {
  for (const table of ['resellers', 'labels', 'credentials', 'totals']) {
    assert.equal(store.rows(table).length, 0, table);
  }
  assert.equal((await agency.createReseller(draft())).loginDomain, 'acme');
}

const WAYS = {
  rejects: (error) => Promise.reject(error),
  throws: (error) => {
    throw error;
  },
};

for (const [how, fail] of Object.entries(WAYS)) {
  for (const verb of ['insert', 'put', 'add']) {
    test(`${verb} ${how}`, async () => {
      const world = await opened();
      const cause = new Error('disk on fire, row of owner@acme.example');
      const { method, restore } = breakVerb(world.store, verb, () => fail(cause));
      const { error, calls } = await failed(world);
      assert.equal(error.code, 'storage');
      assert.deepEqual(error.fields, []);
      assert.equal(error.cause, cause, 'what was thrown is kept');
      assert.ok(error.message.includes(`\`${method}\``), error.message);
      assert.ok(!error.message.includes('owner'), 'its text is not: it may quote a row');
      assert.equal(calls.at(-1), 'rollback');
      restore();
      await unharmed(world);
    });
  }

  test(`begin ${how}`, async () => {
    const world = await opened();
    world.store.begin = () => fail(new Error('no connection'));
    const { error } = await failed(world);
    assert.deepEqual([error.code, error.cause.message], ['storage', 'no connection']);
    delete world.store.begin;
    await unharmed(world);
  });

  test(`rollback ${how}, too: the first error counts`, async () => {
    const world = await opened();
    const { restore } = breakVerb(world.store, 'add', () => fail(new Error('first')));
    replace(world.store, 'rollback', (original) =>
      original().then(() => fail(new Error('second'))),
    );
    const { error } = await failed(world);
    assert.equal(error.cause.message, 'first');
    restore();
    await unharmed(world);
  });

  test(`anything ${how}: no error object is needed`, async () => {
    const getter = {
      get code() {
        throw new Error('a trap');
      },
    };
    for (const thrown of [undefined, null, 'text', 7, Symbol('symbol'), getter, () => {}]) {
      const world = await opened();
      const { restore } = breakVerb(world.store, 'add', () => fail(thrown));
      const { error } = await failed(world);
      assert.equal(error.code, 'storage');
      assert.equal(error.cause, thrown);
      restore();
      await unharmed(world);
    }
  });
}

test('a commit that fails is an error of the storage, or of an unknown outcome', async () => {
  for (const code of [undefined, 'outcome_unknown']) {
    const world = await opened();
    const thrown = Object.assign(new Error('connection lost'), { code });
    const rejected = () => Promise.reject(thrown);
    replace(world.store, 'commit', rejected);
    const { error, calls } = await failed(world);
    assert.equal(error.code, code ?? 'storage');
    assert.equal(error.cause, thrown);
    assert.ok(!calls.includes('rollback'), 'a commit ends the transaction, whatever comes of it');
  }
});

test('a transaction that was aborted runs again', async () => {
  const world = await opened();
  let aborted = 0;
  breakVerb(world.store, 'add', async (original, batch) => {
    if (aborted === 2) return original(batch);
    aborted += 1;
    throw Object.assign(new Error('deadlock'), { code: 'aborted' });
  });
  assert.equal((await world.agency.createReseller(draft())).loginDomain, 'acme');
  assert.equal(world.store.rows('totals')[0].at(-1), 1n);
  assert.equal(world.store.calls.filter((call) => call === 'rollback').length, 2);
});

test('a method that never answers meets the deadline', async () => {
  const world = await opened({ deadline });
  const { restore } = breakVerb(world.store, 'put', never);
  const since = performance.now();
  const { error, calls } = await failed(world);
  assert.ok(performance.now() - since >= deadline - 5);
  assert.equal(error.code, 'storage');
  assert.ok(
    error.message.includes('`tell`') && error.message.includes(`${deadline} ms`),
    error.message,
  );
  assert.equal(calls.at(-1), 'rollback');
  restore();
  await unharmed(world);
});

test('a commit that never answers has an unknown outcome', async () => {
  const world = await opened({ deadline });
  replace(world.store, 'commit', never);
  const { error } = await failed(world);
  assert.equal(error.code, 'outcome_unknown');
});

test('answers that come late are ignored, good and bad', async () => {
  const world = await opened({ deadline });
  for (const late of [
    (original, questions) => wait(2 * deadline).then(() => original(questions)),
    () => wait(2 * deadline).then(() => Promise.reject('late')),
  ]) {
    const { restore } = breakVerb(world.store, 'insert', late);
    assert.equal((await failed(world)).error.code, 'storage');
    restore();
  }
  await wait(2 * deadline);
  await unharmed(world);
});

test('a transaction that begins late is rolled back', async () => {
  const world = await opened({ deadline });
  world.store.begin = (...args) => {
    delete world.store.begin;
    return wait(2 * deadline).then(() => world.store.begin(...args));
  };
  const { error } = await failed(world);
  assert.ok(error.message.includes('`begin`'), error.message);
  await wait(2 * deadline);
  assert.deepEqual(world.store.calls, ['begin', 'rollback']);
  await unharmed(world);
});

test('answers of the wrong shape are refused', async () => {
  const inFirst =
    (change) =>
    ([row, ...rest]) => [change([...row]), ...rest];
  const lastIs = (value) => inFirst((row) => [...row.slice(0, -1), value]);
  const itself = [];
  itself.push(itself);
  let deep = [];
  for (let i = 0; i < 1e6; i += 1) deep = [deep];
  const wide = new Array(2_000).fill(new Array(1_000_000));
  const lists = [() => new Array(2 ** 32 - 1), () => itself, () => deep, () => wide];
  const any = [...lists, () => undefined, () => 7, () => ({}), () => [{}], () => 'text'];
  const each = [(right) => [...right, ...right], () => [], () => ['yes'], () => [2n ** 64n]];
  const rows = [
    inFirst((row) => row.slice(1)),
    inFirst((row) => [...row, null]),
    lastIs(0),
    inFirst((row) => [null, ...row.slice(1)]),
    lastIs(new Uint8Array(1)),
    (right) => [...right, ...right],
  ];
  for (const [verb, wrongs] of [
    ['insert', [...any, ...each, () => [1n], () => [['northwind']]]],
    ['scan', [...any, ...rows]],
    ['get', [...any, ...each, ...rows]],
  ]) {
    for (const wrong of wrongs) {
      const { store, agency } = await opened();
      const { id } = await agency.createReseller(draft());
      answer(store, verb, wrong);
      const other = draft({ loginDomain: 'globex', email: 'owner@globex.example' });
      const call = verb === 'get' ? agency.reseller(id) : agency.createReseller(other);
      const error = await call.then(
        () => assert.fail(`${verb} ${wrong}`),
        (e) => e,
      );
      assert.equal(error.code, 'storage', String(error?.stack));
      assert.equal(store.calls.at(-1), 'rollback');
    }
  }
});

test('whatever commit, rollback and tell answer', async () => {
  const result = { command: 'COMMIT', rows: [] };
  for (const method of ['commit', 'rollback', 'tell']) {
    const world = await opened();
    const restore = replace(world.store, method, async (original, ...rest) => {
      await original(...rest);
      return result;
    });
    await world.agency.createReseller(draft());
    const again = await world.agency.createReseller(draft()).catch((error) => error);
    assert.equal(again.code, 'validation', String(again?.stack));
    restore();
    assert.equal(world.store.rows('resellers').length, 1);
  }
});

test('a batch has as many answers as questions, in a promise', async () => {
  for (const wrong of [
    async (original, batch) => (await original(batch)).slice(1),
    async (original, batch) => [...(await original(batch)), 1n],
    async () => undefined,
    async () => ({}),
    () => [],
  ]) {
    const world = await opened();
    const restore = replace(world.store, 'ask', wrong);
    const { error, calls } = await failed(world);
    assert.equal(error.code, 'storage');
    assert.equal(calls.at(-1), 'rollback');
    restore();
    await unharmed(world);
  }
});

test('a store that is none is refused at once', async () => {
  await assert.rejects(Platform.withStorage({}), { code: 'storage' });
  const store = new AsyncMemoryStore();
  store.begin = async () => undefined;
  await assert.rejects(Platform.withStorage(store), { code: 'storage' });
});

test('a panic is an error, and the next call works', async () => {
  const world = await opened();
  const { call, environment } = require('../dist/calls');
  const panic = call(null, (id) => environment.panicForTests(id, 'on purpose'));
  await assert.rejects(panic, { name: 'InternalError', code: 'internal', message: 'on purpose' });
  await unharmed(world);
});
