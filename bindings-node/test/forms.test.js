// Forms and arguments of every shape that JavaScript has: what is no form is refused, and never read as
// an empty one.
'use strict';

const assert = require('node:assert/strict');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');

const { Platform } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');
const { draft, errorOf, folder, numbered } = require('./support');

const LONE = '\ud800';

async function withReseller(changed = {}) {
  const platform = await Platform.open('memory:');
  const agency = await platform.createAgency('northwind');
  const form = draft({ website: 'https://acme.example', externalId: 'crm-1', ...changed });
  return { platform, agency, reseller: await agency.createReseller(form) };
}

const fields = (error) => error.fields.map(({ field, code }) => `${field}: ${code}`);

class OnlyGetters {
  get name() {
    return 'Other';
  }
}

/** Objects without own fields that are no forms. */
const EMPTY_OTHERS = {
  Map: new Map([['name', 'Other']]),
  Set: new Set(['name']),
  WeakMap: new WeakMap(),
  Promise: Promise.resolve({ name: 'Other' }),
  Buffer: Buffer.from('name'),
  'an empty Uint8Array': new Uint8Array(0),
  ArrayBuffer: new ArrayBuffer(2),
  DataView: new DataView(new ArrayBuffer(2)),
  Date: new Date(),
  RegExp: /name/,
  Error: new Error('name'),
  URL: new URL('https://acme.example'),
  URLSearchParams: new URLSearchParams('name=Other'),
  'an array': [],
  'an array of pairs': [['name', 'Other']],
  'a generator': (function* () {})(),
  'an object of a class without fields': new OnlyGetters(),
  'an object that inherits a form': Object.create(draft()),
  'a function': () => ({ name: 'Other' }),
  'a text': 'name',
  'a number': 7,
  'a bigint': 7n,
  'a symbol': Symbol('name'),
  'a boolean': true,
};

for (const [what, form] of Object.entries(EMPTY_OTHERS)) {
  test(`no form: ${what}`, async () => {
    const { agency, reseller } = await withReseller();
    for (const call of [
      () => agency.createReseller(form),
      () => agency.createResellers([form]).then(([answer]) => Promise.reject(answer)),
      () => agency.updateReseller(reseller.id, form),
      () => agency.configure(form),
      () => agency.page(form),
      () => agency.updateReseller(reseller.id, { metadata: form }),
    ]) {
      const error = await errorOf(call());
      assert.ok(error instanceof TypeError || error.code === 'validation', String(error?.stack));
    }
    const contact = await errorOf(agency.updateReseller(reseller.id, { contact: form }));
    assert.ok(fields(contact).every((field) => field.startsWith('contact')));
    assert.deepEqual(await agency.reseller(reseller.id), reseller, 'nothing was written');
  });
}

// They have own symbols, but no names.
const SYMBOLIC = { FormData: new FormData(), Blob: new Blob(['name']) };
for (const [what, form] of Object.entries(SYMBOLIC)) {
  test(`no form: ${what}`, async () => {
    const { agency, reseller } = await withReseller();
    await errorOf(agency.updateReseller(reseller.id, form));
    await errorOf(agency.page(form));
    await errorOf(agency.updateReseller(reseller.id, { metadata: form }));
  });
}

test('no settings: a Map, and others that would look empty', async () => {
  const { Map: map, Set: set, Promise: promise, RegExp: regexp } = EMPTY_OTHERS;
  for (const settings of [
    map,
    set,
    promise,
    regexp,
    new OnlyGetters(),
    'text',
    7,
    null,
    () => {},
  ]) {
    await assert.rejects(Platform.open('memory:', settings), TypeError);
    await assert.rejects(Platform.withStorage(new AsyncMemoryStore(), settings), TypeError);
  }
  for (const name of ['hashing', 'hashingCost', 'peppers', 'sourceLimit', 'secrets']) {
    for (const value of [map, set, promise, 'text', 7, () => {}]) {
      await assert.rejects(Platform.open('memory:', { [name]: value }), TypeError, name);
    }
    await (await Platform.open('memory:', { [name]: null })).close();
  }
});

test('a setting of another type is refused by its name', async () => {
  const key = new Uint8Array(32);
  const functions = { recognises: () => false, verify: () => false };
  for (const [settings, message] of [
    [{ clock: 5 }, 'clock: expected a function, not a number'],
    [{ clock: {} }, 'clock: expected a function, not an object'],
    [{ legacyVerifier: () => true }, /^legacyVerifier: expected an object/],
    [{ legacyVerifier: {} }, 'legacyVerifier.recognises: expected a function, not undefined'],
    [
      { legacyVerifier: { ...functions, verify: 1 } },
      /^legacyVerifier.verify: expected a function/,
    ],
    [{ secrets: [key] }, /^secrets: expected an object with bytes by number/],
    [{ secrets: { 1: 'text' } }, 'secrets.1: expected a Uint8Array, not a string'],
    [{ peppers: { 1: new Uint16Array(16) } }, 'peppers.1: expected a Uint8Array, not an object'],
  ]) {
    await assert.rejects(Platform.open('memory:', settings), { name: 'TypeError', message });
  }
  for (const number of ['-1', '1.5', '01', '1e3', 'first', ' 1', '4294967296']) {
    for (const setting of ['secrets', 'peppers']) {
      const error = await errorOf(Platform.open('memory:', { [setting]: { [number]: key } }));
      assert.equal(error.name, 'ConfigurationError', number);
      assert.match(error.message, new RegExp(`${setting}: expected whole numbers`), number);
    }
  }
  const short = await errorOf(Platform.open('memory:', { secrets: { 7: key.subarray(1) } }));
  assert.deepEqual(
    [short.name, /secrets\.7: .* 32 bytes/.test(short.message)],
    ['ConfigurationError', true],
  );
  await Platform.open('memory:', { secrets: { 4294967295: key }, legacyVerifier: functions });
});

test('a refused export or import leaves its file as it is', async (t) => {
  const { agency } = await withReseller();
  const file = join(folder(t), 'partners.csv');
  writeFileSync(file, 'as it was');
  await agency.createReseller(numbered(1));
  const { next } = await agency.page({ limit: 1, sort: 'name' });
  for (const [query, name] of [
    [{ after: 'nonsense' }, 'InvalidCursorError'],
    [{ after: next, sort: 'email' }, 'InvalidCursorError'],
    [{ status: 'asleep' }, 'ValidationError'],
    [7, 'TypeError'],
  ]) {
    assert.equal((await errorOf(agency.exportCsv(file, query))).name, name);
  }
  await assert.rejects(agency.importCsv(file, { each: 5 }), {
    message: 'each: expected a function',
  });
  assert.equal(readFileSync(file, 'utf8'), 'as it was');
});

test('a clock that tells no time is refused', async () => {
  const thrown = new Error('no time');
  const fails = () => {
    throw thrown;
  };
  for (const clock of [
    () => 5,
    () => new Date(NaN),
    () => undefined,
    async () => new Date(),
    fails,
  ]) {
    for (const opening of [
      () => Platform.open('memory:', { clock }),
      () => Platform.withStorage(new AsyncMemoryStore(), { clock }),
    ]) {
      const error = await errorOf(opening());
      assert.equal(error.name, 'ConfigurationError', String(clock));
      assert.equal(error.message, 'clock: expected a function that returns a valid Date');
      assert.ok(error.cause instanceof Error && (clock !== fails || error.cause === thrown));
    }
  }
});

class Form {
  constructor(given) {
    Object.assign(this, given);
  }
}

test('an object of any class is a form by its own fields', async () => {
  const { agency } = await withReseller();
  const forms = [
    new Form(numbered(1)),
    Object.freeze(numbered(2)),
    Object.seal(numbered(3)),
    Object.assign(Object.create(null), numbered(4)),
    new Proxy(numbered(5), {}),
    Object.defineProperties({}, Object.getOwnPropertyDescriptors(numbered(6))),
    {
      ...numbered(7),
      get name() {
        return 'From a getter';
      },
    },
    { ...numbered(8), [Symbol('name')]: 'ignored' },
    Object.defineProperty(numbered(9), 'hidden', { value: 'ignored', enumerable: false }),
  ];
  for (const form of forms) assert.ok((await agency.createReseller(form)).id);
  assert.equal((await agency.page({ limit: 200 })).resellers.length, forms.length + 1);
});

test('what a getter or a proxy throws is thrown', async () => {
  const { agency, reseller } = await withReseller();
  const thrown = new Error('a trap');
  const trap = () => {
    throw thrown;
  };
  const getter = {
    get name() {
      return trap();
    },
  };
  const proxies = ['ownKeys', 'get', 'getOwnPropertyDescriptor'].map(
    (handler) => new Proxy({ name: 'Other' }, { [handler]: trap }),
  );
  for (const form of [getter, ...proxies]) {
    assert.equal(await errorOf(agency.updateReseller(reseller.id, form)), thrown);
    assert.equal(await errorOf(agency.createReseller(form)), thrown);
    assert.equal(await errorOf(agency.createReseller(draft({ contact: form }))), thrown);
    assert.equal(await errorOf(agency.createReseller(draft({ metadata: form }))), thrown);
  }
  const request = {
    get reseller() {
      return trap();
    },
  };
  assert.equal(await errorOf(agency.consume(request)), thrown);
  assert.equal(
    await errorOf(
      Platform.open('memory:', {
        get loginBase() {
          return trap();
        },
      }),
    ),
    thrown,
  );
  assert.equal(
    await errorOf(
      agency.recordUsage([
        {
          get id() {
            return trap();
          },
        },
      ]),
    ),
    thrown,
  );
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.ok((await errorOf(agency.page(proxy))) instanceof TypeError);
  assert.deepEqual(await agency.reseller(reseller.id), reseller, 'the next call works');
});

test("unknown names are refused, also the core's own", async () => {
  const { agency, reseller } = await withReseller();
  const unknown = [
    'nmae',
    'login_domain',
    'external_id',
    '__proto__x',
    'constructor',
    'toString',
    '',
  ];
  for (const name of unknown) {
    const create = await errorOf(agency.createReseller({ ...draft(), [name]: 'x' }));
    assert.deepEqual(fields(create), [`${name}: unknown_field`], name);
    const update = await errorOf(agency.updateReseller(reseller.id, { [name]: 'x' }));
    assert.deepEqual(fields(update), [`${name}: unknown_field`], name);
    assert.deepEqual(fields(await errorOf(agency.page({ [name]: 'x' }))), [
      `${name}: unknown_field`,
    ]);
    assert.deepEqual(fields(await errorOf(agency.configure({ [name]: 'x' }))), [
      `${name}: unknown_field`,
    ]);
    const contact = { name: 'Ann', email: 'a@b.example', phone: '+49 30 901820', [name]: 'x' };
    const inner = await errorOf(agency.updateReseller(reseller.id, { contact }));
    assert.deepEqual(fields(inner), [`contact.${name}: unknown_field`]);
    await assert.rejects(Platform.open('memory:', { [name]: 'x' }), TypeError);
  }
});

test('a field that is undefined is not there, and null clears', async () => {
  const { agency, reseller } = await withReseller();
  const update = (patch) => agency.updateReseller(reseller.id, patch);
  const left = await update({ website: undefined, externalId: undefined, name: undefined });
  assert.deepEqual(left, reseller);
  assert.equal((await update({ website: null })).website, null);
  const cleared = await update({ externalId: null });
  assert.deepEqual([cleared.externalId, cleared.version], [null, 3]);
  const kept = await update({
    name: null,
    email: null,
    phone: null,
    contact: null,
    metadata: null,
  });
  assert.deepEqual(kept, cleared);
  assert.deepEqual(await update(undefined), cleared);
});

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'then',
  'toString',
  'hasOwnProperty',
  '0',
  'é',
  'login_domain',
];

test('any text is a key of metadata', async () => {
  const metadata = Object.fromEntries(KEYS.map((key) => [key, `of ${key}`]));
  const { agency, reseller } = await withReseller({ metadata });
  for (const record of [reseller, await agency.reseller(reseller.id)]) {
    assert.deepEqual(Object.keys(record.metadata).sort(), [...KEYS].sort());
    for (const key of KEYS)
      assert.equal(Object.getOwnPropertyDescriptor(record.metadata, key).value, `of ${key}`);
    assert.equal(Object.getPrototypeOf(record.metadata), Object.prototype);
  }
  assert.equal({}.polluted, undefined);
  // A record with a `then` is no thenable, because it is within another one.
  assert.equal((await agency.reseller(reseller.id)).metadata.then, 'of then');
});

test('metadata has texts only', async () => {
  const { agency, reseller } = await withReseller();
  for (const value of [7, 7n, true, null, {}, [], new Date(), Symbol('x'), () => 'x']) {
    const error = await errorOf(agency.updateReseller(reseller.id, { metadata: { tier: value } }));
    assert.deepEqual(fields(error), ['metadata: invalid']);
  }
  assert.deepEqual(
    (await agency.updateReseller(reseller.id, { metadata: { a: undefined } })).metadata,
    {},
  );
});

test('a lone surrogate is refused wherever it would be stored', async () => {
  const { platform, agency, reseller } = await withReseller();
  const password = `plain teal walrus 94 umbrella${LONE}`;
  const refused = {
    name: await errorOf(agency.createReseller(draft({ name: LONE }))),
    email: await errorOf(agency.createReseller(draft({ email: `${LONE}@a.example` }))),
    'phone.number': await errorOf(agency.createReseller(draft({ phone: `+1${LONE}` }))),
    'contact.name': await errorOf(
      agency.createReseller(draft({ contact: { ...draft().contact, name: LONE } })),
    ),
    loginDomain: await errorOf(agency.createReseller(draft({ loginDomain: `a${LONE}` }))),
    website: await errorOf(agency.createReseller(draft({ website: `a.example/${LONE}` }))),
    externalId: await errorOf(agency.createReseller(draft({ externalId: LONE }))),
    metadata: await errorOf(agency.createReseller(draft({ metadata: { tier: LONE } }))),
    idempotencyKey: await errorOf(agency.createReseller(draft({ idempotencyKey: LONE }))),
    password: await errorOf(
      agency.createReseller(draft({ invite: false, password, passwordConfirmation: password })),
    ),
    reason: await errorOf(agency.deactivate(reseller.id, { reason: LONE })),
    id: await errorOf(platform.createAgency(`a${LONE}`)),
    timeZone: await errorOf(platform.createAgency('contoso', { timeZone: LONE })),
  };
  for (const [field, error] of Object.entries(refused)) {
    assert.equal(error.code, 'validation', field);
    assert.ok(
      error.fields.some((refused) => refused.field.startsWith(field)),
      `${field}: ${fields(error)}`,
    );
  }
  const set = await errorOf(
    agency.setPassword({ id: reseller.id, password, passwordConfirmation: password }),
  );
  assert.ok(
    fields(set).every((field) => field.startsWith('password')),
    String(fields(set)),
  );
  assert.equal((await errorOf((async () => agency.actingAs(LONE))())).code, 'validation');
  const keys = await errorOf(agency.createReseller(draft({ metadata: { [LONE]: 'x' } })));
  assert.deepEqual(
    fields(keys)
      .filter((field) => !field.startsWith('metadata'))
      .filter((f) => !f.endsWith('taken')),
    [],
  );
});

test('a lone surrogate finds nothing and opens nothing', async () => {
  const { platform, agency } = await withReseller();
  const guess = { loginDomain: 'acme', email: 'owner@acme.example', password: LONE };
  assert.equal((await errorOf(platform.signIn(guess))).code, 'access_denied');
  assert.equal((await errorOf(platform.signIn({ ...guess, email: LONE }))).code, 'access_denied');
  assert.equal((await errorOf(platform.checkAccess(LONE, null))).code, 'access_denied');
  assert.equal((await errorOf(platform.resolveHost(LONE))).code, 'not_found');
  assert.equal((await errorOf(agency.reseller(LONE))).code, 'not_found');
  const found = await agency.page({ text: LONE }).catch((error) => error);
  assert.ok(found.code === 'validation' || found.resellers.length === 0);
});

test('lists with holes, lists that are too long, and lists that contain themselves', async () => {
  const { platform, agency, reseller } = await withReseller();
  const [made, hole] = await agency.createResellers([numbered(1), ...new Array(1)]);
  assert.ok(made.id && hole.code === 'validation');
  const cyclic = { ...draft() };
  cyclic.contact = cyclic;
  const list = [];
  list.push(list);
  const long = new Array(2 ** 32 - 1);
  for (const call of [
    () => agency.createReseller(cyclic),
    () => agency.updateReseller(reseller.id, { metadata: cyclic }),
    () => agency.updateReseller(reseller.id, { phone: list }),
    () => agency.createResellers(list),
    () => agency.recordUsage(long),
    () => agency.configure({ reservedLabels: long }),
    () => agency.configure({ reservedLabels: list }),
    () => agency.createResellers(new Array(1_001).fill(draft())),
    () => agency.recordUsage(new Array(10_001).fill({})),
    () => Platform.open('memory:', { reserve: long }),
  ]) {
    const error = await errorOf(call());
    assert.ok(error instanceof TypeError || error.code === 'validation', String(error?.stack));
  }
  assert.deepEqual(await platform.agencies(), ['northwind']);
});

test('events that are no objects are rejected alone', async () => {
  const { agency } = await withReseller();
  for (const event of [null, undefined, 'event', 7, new Map(), [], Promise.resolve(), {}]) {
    const [outcome] = (await agency.recordUsage([event])).outcomes;
    assert.deepEqual([outcome.kind, outcome.field, outcome.code], ['rejected', 'id', 'empty']);
  }
});

test('a huge text is refused, and its sender waits no longer for it', async () => {
  const { agency, reseller } = await withReseller();
  const huge = 'x'.repeat(2 ** 24);
  for (const patch of [
    { name: huge },
    { email: huge },
    { website: huge },
    { metadata: { tier: huge } },
  ]) {
    assert.equal((await errorOf(agency.updateReseller(reseller.id, patch))).code, 'validation');
  }
});
