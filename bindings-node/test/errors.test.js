// Errors: classes by code, the same in both kinds of modules, with stacks that lead to the caller.
'use strict';

const assert = require('node:assert/strict');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');
const { format, inspect } = require('node:util');

const partnerkit = require('..');
const { byCode } = require('../dist/errors');
const { AsyncMemoryStore } = require('./async-memory-store');
const { draft, errorOf, folder, opened } = require('./support');

const { Platform, PartnerKitError, fieldCodes, nationalFormat } = partnerkit;

const PASSWORD = 'plain teal walrus 94 umbrella';
const withPassword = { invite: false, password: PASSWORD, passwordConfirmation: PASSWORD };
const guess = { loginDomain: 'acme', email: 'owner@acme.example', password: 'wrong' };

/** A store whose writes throw an error with a code. */
async function throwing(code) {
  const { store, agency } = await opened();
  const cause = Object.assign(new Error('thrown by the storage'), { code });
  store.begin = async (...args) => {
    const transaction = await new AsyncMemoryStore().begin(...args);
    transaction.ask = () => Promise.reject(cause);
    return transaction;
  };
  return { error: await errorOf(agency.overview()), cause };
}

/** How each kind of error comes about. */
const WAYS = {
  async validation() {
    const { agency } = await opened();
    return errorOf(agency.createReseller(draft({ name: '' })));
  },
  async conflict() {
    const { agency } = await opened();
    const { id } = await agency.createReseller(draft());
    return errorOf(agency.updateReseller(id, { name: 'Other' }, { version: 7 }));
  },
  async not_found() {
    const { agency } = await opened();
    return errorOf(agency.reseller('0199aaaa-0000-7000-8000-000000000000'));
  },
  async access_denied() {
    return errorOf((await opened()).platform.checkAccess('no stamp', null));
  },
  async busy() {
    const { platform, agency } = await opened({ hashing: { atOnce: 1, queue: 0 } });
    await agency.createReseller(draft(withPassword));
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => platform.signIn(guess)),
    );
    return attempts.find(({ reason }) => reason.code === 'busy').reason;
  },
  async throttled() {
    const { platform } = await opened({ sourceLimit: { burst: 1, every: 60_000 } });
    await errorOf(platform.signIn({ ...guess, source: '192.0.2.1' }));
    return errorOf(platform.signIn({ ...guess, source: '192.0.2.1' }));
  },
  async io(t) {
    const at = folder(t);
    const platform = await Platform.open(`sqlite:${join(at, 'resellers.db')}`);
    writeFileSync(join(at, 'there'), '');
    const error = await errorOf(platform.backup(join(at, 'there')));
    await platform.close();
    return error;
  },
  async invalid_cursor() {
    return errorOf((await opened()).agency.page({ after: 'nonsense' }));
  },
  inside_transaction: async () => (await throwing('inside_transaction')).error,
  aborted: async () => (await throwing('aborted')).error,
  outcome_unknown: async () => (await throwing('outcome_unknown')).error,
  storage: async () => (await throwing(undefined)).error,
  configuration: () => errorOf(Platform.open('nowhere:')),
  internal() {
    const { call, environment } = require('../dist/calls');
    return errorOf(call(null, (id) => environment.panicForTests(id, 'on purpose')));
  },
};

const STATUSES = {
  validation: 422,
  conflict: 409,
  not_found: 404,
  access_denied: 401,
  busy: 503,
  throttled: 429,
  invalid_cursor: 400,
  aborted: 503,
  outcome_unknown: 503,
  storage: 503,
};

test('every kind of error is thrown here', () => {
  assert.deepEqual(Object.keys(WAYS).sort(), Object.keys(byCode).sort());
});

for (const [code, way] of Object.entries(WAYS)) {
  test(`${code} is a class of its own`, async (t) => {
    const error = await way(t);
    const of = byCode[code];
    assert.equal(error.constructor, of, String(error?.stack));
    assert.ok(error instanceof PartnerKitError && error instanceof Error);
    assert.equal(error.code, code);
    assert.equal(error.name, of.name);
    assert.equal(partnerkit[of.name], of, 'it is exported');
    assert.equal(error.httpStatus, STATUSES[code] ?? 500);
    assert.ok(error.stack.startsWith(`${of.name}: ${error.message}`), error.stack);
    assert.ok(Array.isArray(error.fields));
    assert.equal(error.fields.length > 0, code === 'validation');
    assert.equal('currentVersion' in error, code === 'conflict');
    assert.equal('retryAfter' in error, code === 'throttled');
  });
}

test('what an error says beside its code', async (t) => {
  assert.equal((await WAYS.conflict()).currentVersion, 1);
  const { retryAfter } = await WAYS.throttled();
  assert.ok(retryAfter > 0 && retryAfter <= 60_000, `${retryAfter}`);
  assert.equal((await WAYS.internal()).message, 'on purpose');
  assert.equal((await WAYS.io(t)).cause, undefined);
});

test('the cause of an error is what the storage threw', async () => {
  for (const code of [undefined, 'aborted', 'outcome_unknown', 'inside_transaction']) {
    const { error, cause } = await throwing(code);
    assert.equal(error.cause, cause, error.code);
    assert.ok(!error.message.includes(cause.message), 'its text may hold personal data');
  }
});

test('an error is the same in both kinds of modules', async () => {
  const [imported, required] = [await import('partnerkit'), require('partnerkit')];
  assert.equal(required, partnerkit);
  for (const name of Object.keys(partnerkit)) assert.equal(imported[name], partnerkit[name], name);
  const error = await errorOf(imported.Platform.open('nowhere:'));
  assert.ok(error instanceof required.ConfigurationError);
  const other = await errorOf(required.Platform.open('nowhere:'));
  assert.ok(other instanceof imported.ConfigurationError);
});

test('fields have the names and the order of the form', async () => {
  const { agency } = await opened();
  const error = await errorOf(
    agency.createReseller({ partnerType: 'friend', contact: { phone: '1' }, metadata: { '': '' } }),
  );
  const fields = error.fields.map(({ field }) => field);
  assert.deepEqual(fields, [
    'partnerType',
    'name',
    'email',
    'phone.number',
    'password',
    'contact.name',
    'contact.email',
    'contact.phone.number',
    'loginDomain',
    'metadata',
  ]);
  const texts = new Map(fieldCodes().map(({ slug, text }) => [slug, text]));
  for (const { field, code, message } of error.fields) {
    assert.ok(message.startsWith(texts.get(code)), message);
    assert.ok(error.message.includes(`${field} ${message}`), error.message);
  }
});

test('bounds of a field are numbers', async () => {
  const { agency } = await opened();
  const [{ params }] = (await errorOf(agency.page({ limit: 201 }))).fields;
  assert.deepEqual(params, { min: 1, max: 200 });
});

/** Whether a stack has a frame of a function. */
const leadsTo = (error, name) =>
  assert.match(error.stack, new RegExp(`at (async )?${name} .*errors\\.test\\.js`), error.stack);

test('a stack leads to the line that awaits', async () => {
  const { platform, agency } = await opened();
  const nowhere = '0199aaaa-0000-7000-8000-000000000000';
  async function awaits() {
    await agency.reseller(nowhere);
  }
  async function callsAnother() {
    await awaits();
  }
  async function awaitsAll() {
    await Promise.all([agency.overview(), agency.reseller(nowhere)]);
  }
  async function awaitsAny() {
    await Promise.any([agency.reseller(nowhere)]);
  }
  async function loops() {
    for await (const reseller of agency.search({ after: 'nonsense' })) assert.fail(reseller.id);
  }
  async function refused() {
    await agency.consume({});
  }
  async function creates() {
    await platform.createAgency('North Wind');
  }
  async function opens() {
    await Platform.open('nowhere:');
  }
  function formats() {
    nationalFormat('12');
  }
  for (const run of [awaits, awaitsAll, loops, refused, creates, opens]) {
    leadsTo(await errorOf(run()), run.name);
  }
  leadsTo((await errorOf(awaitsAny())).errors?.[0] ?? assert.fail(), 'awaitsAny');
  const error = await errorOf(callsAnother());
  leadsTo(error, 'awaits');
  leadsTo(error, 'callsAnother');
  leadsTo(await errorOf(Promise.resolve().then(formats)), 'formats');
});

test('the errors of several forms are answers', async () => {
  const { agency } = await opened();
  const [made, refused] = await agency.createResellers([draft(), draft({ name: '' })]);
  assert.equal(made.loginDomain, 'acme');
  assert.ok(refused instanceof partnerkit.ValidationError);
  assert.deepEqual(
    refused.fields.map(({ field }) => field),
    ['name'],
  );
});

test('a value of another type is a refused field, which says what would be right', async () => {
  const { platform, agency } = await opened();
  const { id } = await agency.createReseller(draft());
  const use = { reseller: id, metric: 'messages', quantity: 1, id: 'evt-1' };
  const limit = { reseller: id, metric: 'messages', limit: 5 };
  const metrics = 'one of messages, whatsapp_messages, whatsapp_conversations, team_members';
  const range = [new Date('2026-03-01T00:00:00Z'), new Date('2026-04-01T00:00:00Z')];
  const [text, whole] = ['is not valid: expected a text', 'is not valid: expected a whole number'];
  const instant = 'is not valid: expected an instant with its offset from UTC';
  for (const [call, name, code, message] of [
    [() => agency.reseller(7), 'id', 'invalid', text],
    [() => agency.reseller(undefined), 'id', 'empty', 'is required'],
    [() => agency.deactivate(id, { reason: Symbol('secret') }), 'reason', 'invalid', text],
    [() => platform.signIn({ ...guess, password: ['secret'] }), 'password', 'invalid', text],
    [async () => agency.actingAs({ secret: 'secret' }), 'actor', 'invalid', text],
    [async () => nationalFormat(7), 'phone', 'invalid', text],
    [async () => platform.loginUrl(null), 'loginDomain', 'empty', 'is required'],
    [() => agency.consume({ ...use, quantity: 'secret' }), 'quantity', 'invalid', whole],
    [() => agency.consume({ ...use, quantity: undefined }), 'quantity', 'empty', 'is required'],
    [() => agency.consume({ ...use, metric: 'secret' }), 'metric', 'unknown_metric', metrics],
    [() => agency.setAllowance({ ...limit, limit: '5' }), 'limit', 'invalid', whole],
    [() => agency.setAllowance({ ...limit, limit: undefined }), 'limit', 'empty', 'is required'],
    [() => agency.overviewBetween('2026-03-01', range[1]), 'start', 'invalid', instant],
    [() => agency.overviewBetween(range[0], new Date(NaN)), 'end', 'invalid', instant],
    [
      () => agency.topResellers({ metric: 'messages', start: range[0], end: {}, limit: 1 }),
      'end',
      'invalid',
      instant,
    ],
    [() => agency.usage({ start: range[0], end: new Date(NaN) }), 'end', 'invalid', instant],
    [
      () => agency.usage({ start: range[0], end: range[1], metrics: ['secret'] }),
      'metrics',
      'unknown_metric',
      metrics,
    ],
    [
      () => agency.usage({ start: range[0], end: range[1], limit: -1 }),
      'limit',
      'out_of_range',
      '(min 1) (max 10000)',
    ],
  ]) {
    const error = await errorOf(call());
    assert.equal(error.name, 'ValidationError', `${call}: ${error}`);
    const [field] = error.fields;
    assert.deepEqual([error.fields.length, field.field, field.code], [1, name, code], `${call}`);
    assert.ok(field.message.includes(message), field.message);
    assert.ok(!error.message.includes('secret'), error.message);
  }
});

test('what only a program can have given is a TypeError, which names it', async () => {
  const { agency } = await opened();
  for (const [call, name] of [
    [() => agency.createResellers('secret'), 'forms'],
    [() => agency.createReseller('secret'), 'draft'],
    [() => agency.recordUsage({ secret: 'secret' }), 'events'],
    [() => agency.consume('secret'), 'request'],
    [() => agency.overview({ signal: 'secret' }), 'signal'],
    [() => Platform.open(7), 'url'],
    [() => Platform.open('memory:', { loginBase: 7 }), 'loginBase'],
    [() => Platform.open('memory:', { reserve: [7] }), 'reserve'],
    [() => Platform.open('memory:', { signInLimit: 'secret' }), 'signInLimit'],
  ]) {
    const error = await errorOf(call());
    assert.equal(error.constructor, TypeError, `${call}: ${error}`);
    assert.ok(error.message.startsWith(`${name}: expected`), error.message);
    assert.ok(!error.message.includes('secret'), error.message);
  }
});

test('the errors of a query are in the order of its fields', async () => {
  const { agency } = await opened();
  const query = { windw: 1, limit: 0, metrics: ['faxes'], window: 'year', start: 'today' };
  const { fields } = await errorOf(agency.usage(query));
  assert.deepEqual(
    fields.map(({ field, code }) => `${field}: ${code}`),
    [
      'start: invalid',
      'end: empty',
      'window: invalid',
      'metrics: unknown_metric',
      'limit: out_of_range',
      'windw: unknown_field',
    ],
  );
});

test('an event has no other fields than an event has', async () => {
  const { agency } = await opened();
  const { id: reseller } = await agency.createReseller(draft());
  const event = (id) => ({ id, reseller, metric: 'messages', quantity: 1, at: new Date() });
  const { outcomes } = await agency.recordUsage([
    { ...event('e1'), login_domain: 'acme' },
    { ...event('e2'), login_domain: undefined, [Symbol('mine')]: 1 },
    { ...event('e3'), quantity: 'x', colour: 'red' },
  ]);
  assert.deepEqual(
    outcomes.map(({ kind, field, code }) => [kind, field, code]),
    [
      ['rejected', 'login_domain', 'unknown_field'],
      ['accepted', null, null],
      ['rejected', 'quantity', 'invalid'],
    ],
  );
});

test('panics are errors, and the next call works', async () => {
  const { call, environment } = require('../dist/calls');
  const { agency } = await opened();
  const panics = Array.from({ length: 4 }, (_, n) =>
    errorOf(call(null, (id) => environment.panicForTests(id, `panic ${n}`))),
  );
  const errors = await Promise.all(panics);
  errors.forEach((error, n) => {
    assert.ok(error instanceof partnerkit.InternalError);
    assert.equal(error.message, `panic ${n}`);
  });
  assert.equal((await agency.overview()).activeResellers, 0);
});

test('no text for debugging shows the stamp', async () => {
  const { platform, agency } = await opened();
  await agency.createReseller(draft(withPassword));
  const access = await platform.signIn({ ...guess, password: PASSWORD });
  for (const shown of [
    inspect(access),
    inspect([{ access }], { depth: 5 }),
    format('%o', access),
  ]) {
    assert.ok(!shown.includes(access.stamp), shown);
  }
  assert.equal(JSON.parse(JSON.stringify(access)).stamp, access.stamp);
  assert.equal(structuredClone(access).stamp, { ...access }.stamp);
  assert.equal(inspect(agency), "Agency 'northwind'");
});
