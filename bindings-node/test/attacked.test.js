// What an attack on the package has found, and what must not come back.
'use strict';

const assert = require('node:assert/strict');
const { createReadStream, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');
const vm = require('node:vm');

const { Platform, logCalls } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');
const { draft, errorOf, folder, numbered, opened } = require('./support');

/** The answer of a call, while every object inherits a field. The test runner must not see it. */
async function inheriting(name, value, call) {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
  try {
    return await call();
  } finally {
    delete Object.prototype[name];
  }
}

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

test('a store that makes a call when it is asked whether it is joined loses none', async () => {
  const store = new AsyncMemoryStore();
  const { agency } = await opened({}, store);
  const other = await opened();
  let isAsked = false;
  let inner;
  store.joined = () => {
    if (!isAsked) {
      isAsked = true;
      inner = other.agency.overview();
    }
    return false;
  };
  const outer = agency.overview();
  for (const call of [outer, inner]) assert.equal((await call).activeResellers, 0);
});

test('a store may answer with promises of another realm, or of another library', async () => {
  /** Wraps each answer of a store and of its transactions. */
  const wrapped = (object, other) =>
    new Proxy(object, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args) => {
          const answer = value.apply(target, args);
          const isBegun = name === 'begin';
          return other(isBegun ? answer.then((begun) => wrapped(begun, other)) : answer);
        };
      },
    });
  const realms = vm.runInNewContext('(promise) => (async () => promise)()');
  const librarys = (promise) => ({ then: (...listeners) => void promise.then(...listeners) });
  for (const other of [realms, librarys]) {
    const { agency } = await opened({}, wrapped(new AsyncMemoryStore(), other));
    await agency.createReseller(draft());
    assert.equal((await agency.overview()).activeResellers, 1);
  }
});

test('options that all objects inherit do not count', async () => {
  const { agency, platform } = await opened({}, new AsyncMemoryStore());
  await agency.createReseller(draft());
  const aborted = AbortSignal.abort(new Error('inherited'));
  for (const options of [undefined, {}]) {
    const { activeResellers } = await inheriting('signal', aborted, () => agency.overview(options));
    assert.equal(activeResellers, 1);
  }
  await inheriting('deadline', 'soon', () => Platform.withStorage(new AsyncMemoryStore(), {}));

  const failed = () => errorOf(platform.agency('nobody'));
  const error = await inheriting('cause', new Error('inherited'), failed);
  assert.ok(!Object.hasOwn(error, 'cause'));

  const { value } = await inheriting('after', 'inherited', () =>
    agency.search({ limit: 1 }).next(),
  );
  assert.equal(value.loginDomain, 'acme');
});

test('a getter of a class is not left out', async () => {
  const { agency } = await opened();
  const { id } = await agency.createReseller(draft());
  class Reason {
    get reason() {
      return 'nonpayment';
    }
  }
  class More extends Reason {
    signal = undefined;
  }
  for (const options of [new Reason(), new More()]) {
    assert.equal((await agency.deactivate(id, options)).deactivationReason, 'nonpayment');
    await agency.activate(id);
  }
  class Policy {
    get secondFactor() {
      return true;
    }
  }
  const short = { invite: false, password: 'Xq7#kW9!zR4v', passwordConfirmation: 'Xq7#kW9!zR4v' };
  const policed = await Platform.open('memory:', new Policy());
  await (await policed.createAgency('northwind')).createReseller(draft(short));

  const controller = new AbortController();
  controller.abort();
  assert.equal((await errorOf(agency.overview(controller))).name, 'AbortError');
});

test('a mistyped option of any operation is refused', async () => {
  const { agency, platform } = await opened();
  const { id } = await agency.createReseller(draft());
  const first = (found) => found.next();
  for (const call of [
    () => agency.overview({ singal: undefined }),
    () => agency.reseller(id, { singal: undefined }),
    () => agency.createReseller(numbered(1), { singal: undefined }),
    () => agency.deactivate(id, { singal: undefined }),
    () => first(agency.search({}, { singal: undefined })),
    () => platform.signIn({ loginDomain: 'a', email: 'b', password: 'c' }, { singal: undefined }),
    () => Platform.open('memory:', {}, { singal: undefined }),
    () => Platform.withStorage(new AsyncMemoryStore(), {}, { singal: undefined }),
    () => platform.close({ singal: undefined }),
  ]) {
    const { name, message } = await errorOf(call());
    assert.deepEqual([name, message], ['TypeError', "options: there is no 'singal'"], String(call));
  }
  const page = await agency.page();
  assert.deepEqual([page.resellers.length, page.resellers[0].status], [1, 'active']);

  // What was meant as `{ signal }`, or is something else altogether.
  for (const options of [AbortSignal.abort(), 7, null, [], new Date(), new Map()]) {
    assert.equal((await errorOf(agency.overview(options))).name, 'TypeError');
  }
  for (const signal of [7, {}, 'soon']) {
    const error = await errorOf(agency.overview({ signal }));
    assert.deepEqual([error.name, error.message], ['TypeError', 'signal: expected an AbortSignal']);
  }
});
