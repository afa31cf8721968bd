// `AbortSignal`: before a call, while it waits for a thread, while it runs, and after it.
'use strict';

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { test } = require('node:test');

const { Platform } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');
const { THREADS, close, draft, errorOf, letters, numbered, opened, until } = require('./support');

const deadline = 600_000;

/** An aborter whose signal has no listeners at the end. */
function aborter(t) {
  const controller = new AbortController();
  t.after(() => assert.deepEqual(getEventListeners(controller.signal, 'abort'), []));
  return controller;
}

test('a call whose signal is aborted already does not begin', async (t) => {
  const { store, agency, platform } = await opened();
  const controller = aborter(t);
  const reason = new Error('changed my mind');
  controller.abort(reason);
  const { signal } = controller;
  store.calls.length = 0;
  for (const call of [
    () => agency.createReseller(draft(), { signal }),
    () => agency.page({}, { signal }),
    () => agency.page({ limit: 'wrong' }, { signal }),
    () => agency.deactivate('no id', { signal }),
    () => platform.createAgency('contoso', { signal }),
    () => platform.signIn({}, { signal }),
    () => Platform.open('nowhere:', {}, { signal }),
    () => Platform.withStorage(store, {}, { signal }),
    () => agency.search({}, { signal }).next(),
  ]) {
    assert.equal(await errorOf(call()), reason);
  }
  assert.deepEqual(store.calls, []);
});

test('without a reason the error is an AbortError, and a TimeoutError after a time-out', async () => {
  const { agency } = await opened();
  const aborted = await errorOf(agency.overview({ signal: AbortSignal.abort() }));
  assert.equal(aborted.name, 'AbortError');
  const { store, agency: slow } = await opened({ deadline });
  const closed = close(store);
  const late = await errorOf(slow.overview({ signal: AbortSignal.timeout(5) }));
  assert.equal(late.name, 'TimeoutError');
  closed.open();
});

test('any reason is the error, whatever it is', async () => {
  const { agency } = await opened();
  for (const reason of [null, 0, 'text', Symbol('reason'), { code: 'not_found' }]) {
    const { status, reason: told } = (
      await Promise.allSettled([agency.overview({ signal: AbortSignal.abort(reason) })])
    )[0];
    assert.deepEqual([status, told], ['rejected', reason]);
  }
});

test('a call that waits for a thread never runs', async (t) => {
  const { store, platform, agency } = await opened({ deadline });
  const closed = close(store);
  const running = Array.from({ length: THREADS }, () => agency.overview());
  await until(() => closed.waiting === THREADS);
  const controllers = Array.from({ length: 50 }, () => aborter(t));
  const create = ({ signal }, n) => platform.createAgency(`never-${letters(n)}`, { signal });
  const queued = controllers.map(create);
  const staying = platform.createAgency('stays');
  for (const controller of controllers) controller.abort(controller);
  const outcomes = await Promise.allSettled(queued);
  outcomes.forEach(({ reason }, n) => assert.equal(reason, controllers[n]));
  store.calls.length = 0;
  closed.open();
  await Promise.all([...running, staying]);
  assert.deepEqual(await platform.agencies(), ['northwind', 'stays']);
  const begun = store.calls.filter((call) => call === 'begin').length;
  assert.equal(begun, THREADS + 2, 'those that ran, the one that stayed, and the list');
});

test('a call that hashes and waits for its turn may be aborted', async (t) => {
  const password = 'plain teal walrus 94 umbrella';
  const withPassword = { invite: false, password, passwordConfirmation: password };
  const { agency } = await opened({ hashing: { atOnce: 1, queue: 100 } });
  const controller = aborter(t);
  const { signal } = controller;
  const creates = Array.from({ length: 5 }, (_, n) =>
    agency.createReseller(numbered(n, withPassword), { signal }),
  );
  controller.abort();
  for (const { reason } of await Promise.allSettled(creates))
    assert.equal(reason.name, 'AbortError');
  const after = await agency.createReseller(numbered(100, withPassword));
  assert.equal((await agency.reseller(after.id)).id, after.id);
});

test('a signal that is aborted while the form is read ends the wait', async (t) => {
  const { store, agency } = await opened();
  const controller = aborter(t);
  const form = draft();
  const { name } = form;
  Object.defineProperty(form, 'name', {
    enumerable: true,
    get() {
      controller.abort();
      return name;
    },
  });
  const { signal } = controller;
  assert.equal((await errorOf(agency.createReseller(form, { signal }))).name, 'AbortError');
  await agency.overview();
  assert.equal(store.rows('resellers').length, 0);
});

test('a call that has begun runs to its end, and nobody waits for it', async (t) => {
  const { store, agency } = await opened({ deadline });
  const closed = close(store);
  const controller = aborter(t);
  const create = agency.createReseller(draft(), { signal: controller.signal });
  await until(() => closed.waiting === 1);
  controller.abort();
  assert.equal((await errorOf(create)).name, 'AbortError');
  closed.open();
  await until(() => store.rows('resellers').length === 1);
  assert.equal((await agency.page()).resellers[0].loginDomain, 'acme');
});

test('a call that fails after it was aborted disturbs nobody', async (t) => {
  const { store, agency } = await opened({ deadline });
  const closed = close(store);
  const controller = aborter(t);
  const call = agency.reseller('0199aaaa-0000-7000-8000-000000000000', {
    signal: controller.signal,
  });
  await until(() => closed.waiting === 1);
  controller.abort();
  assert.equal((await errorOf(call)).name, 'AbortError');
  closed.open();
  await until(() => store.calls.at(-1) === 'commit' || store.calls.at(-1) === 'rollback');
  await agency.overview();
});

test('a signal that is aborted after the call changes nothing', async (t) => {
  const { agency } = await opened();
  const controller = aborter(t);
  const { signal } = controller;
  const created = await agency.createReseller(draft(), { signal });
  await errorOf(agency.reseller('no id', { signal }));
  await errorOf(agency.page({ limit: 0 }, { signal }));
  assert.deepEqual(getEventListeners(signal, 'abort'), []);
  controller.abort();
  assert.equal((await agency.reseller(created.id)).id, created.id);
});

test('many calls share a signal', async (t) => {
  const { agency } = await opened();
  const controller = aborter(t);
  const { signal } = controller;
  const warnings = [];
  const warned = (warning) => warnings.push(warning);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const calls = Array.from({ length: 100 }, () => agency.overview({ signal }));
  controller.abort();
  const outcomes = await Promise.allSettled(calls);
  for (const { status, reason } of outcomes) {
    assert.ok(status === 'fulfilled' || reason === signal.reason);
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    warnings.map(({ message }) => message),
    [],
  );
});

/** A storage with seven resellers, which counts its pages. */
async function withSeven() {
  const store = new AsyncMemoryStore();
  const { agency } = await opened({}, store);
  await agency.createResellers(Array.from({ length: 7 }, (_, n) => numbered(n)));
  let pages = 0;
  const { begin } = store;
  store.begin = async (...args) => {
    const transaction = await begin.apply(store, args);
    const ask = transaction.ask.bind(transaction);
    transaction.ask = (questions) => {
      if (questions.some(({ verb }) => verb === 'page')) pages += 1;
      return ask(questions);
    };
    return transaction;
  };
  return { agency, pages: () => pages };
}

test('a search reads the pages that are needed, and all of them at most', async () => {
  const { agency, pages } = await withSeven();
  const found = [];
  for await (const { loginDomain } of agency.search({ limit: 3, sort: 'name' }))
    found.push(loginDomain);
  assert.deepEqual(
    found,
    Array.from({ length: 7 }, (_, n) => numbered(n).loginDomain)
      .reverse()
      .sort(),
  );
  assert.equal(pages(), 3);
});

test('a search that is left reads no further page', async () => {
  const { agency, pages } = await withSeven();
  for await (const reseller of agency.search({ limit: 3 })) {
    assert.ok(reseller.id);
    break;
  }
  assert.equal(pages(), 1);
  const search = agency.search({ limit: 3 });
  assert.equal(pages(), 1, 'nothing is read before it is asked for');
  await search.next();
  assert.deepEqual(await search.return(), { done: true, value: undefined });
  assert.deepEqual(await search.next(), { done: true, value: undefined });
  await errorOf(search.throw(new Error('thrown in')));
  assert.equal(pages(), 2);
});

test('a search is aborted at its next page', async (t) => {
  const { agency, pages } = await withSeven();
  const controller = aborter(t);
  const found = [];
  const looped = (async () => {
    for await (const { id } of agency.search({ limit: 3 }, { signal: controller.signal })) {
      found.push(id);
      if (found.length === 2) controller.abort();
    }
  })();
  assert.equal((await errorOf(looped)).name, 'AbortError');
  assert.equal(found.length, 3, 'the page that had been read');
  assert.equal(pages(), 1);
});

test('a search gives up its query after an error', async () => {
  const { agency } = await withSeven();
  const search = agency.search({ after: 'nonsense' });
  assert.equal((await errorOf(search.next())).code, 'invalid_cursor');
  assert.deepEqual(await search.next(), { done: true, value: undefined });
});

test('what is no signal is refused', async () => {
  const { agency } = await opened();
  const nearly = { aborted: false, throwIfAborted() {}, addEventListener() {} };
  for (const signal of [{}, 'abort', new AbortController(), nearly]) {
    assert.ok((await errorOf(agency.overview({ signal }))) instanceof TypeError);
  }
});
