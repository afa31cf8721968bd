// Numbers and dates: exact, or refused (S49).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Platform } = require('..');
const { draft, errorOf, numbered } = require('./support');

async function withReseller(settings = {}) {
  const platform = await Platform.open('memory:', settings);
  const agency = await platform.createAgency('northwind');
  return { platform, agency, id: (await agency.createReseller(draft())).id };
}

/** What a call refuses: `field: code`, or the kind of error. */
async function refusal(call) {
  const error = await errorOf(call);
  return error.fields?.[0]
    ? `${error.fields[0].field}: ${error.fields[0].code}`
    : error.constructor.name;
}

const SAFE = Number.MAX_SAFE_INTEGER;
const MOST = 2n ** 63n - 1n;

/** Quantities that are kept, and as what. */
const KEPT = [
  [0, 0n],
  [-0, 0n],
  [SAFE, BigInt(SAFE)],
  [2n ** 53n - 1n, 2n ** 53n - 1n],
  [2n ** 53n, 2n ** 53n],
  [2n ** 53n + 1n, 2n ** 53n + 1n],
  [MOST, MOST],
];

/** Quantities that are refused, and why. */
const REFUSED = [
  [2 ** 53, 'invalid'], // more than one integer has this number
  [2 ** 63, 'invalid'],
  [1.5, 'invalid'],
  [NaN, 'invalid'],
  [Infinity, 'invalid'],
  [-1, 'negative'],
  [-1n, 'negative'],
  [-(2n ** 63n), 'negative'],
  [MOST + 1n, 'out_of_range'],
  [2n ** 64n, 'out_of_range'],
  [2n ** 200n, 'out_of_range'],
];

/** What is no number. */
const OTHER = [
  '5',
  true,
  [5],
  { valueOf: () => 5 },
  new Number(5),
  Object(5n),
  Symbol('5'),
  () => 5,
  new Date(5),
];

for (const [quantity, kept] of KEPT) {
  test(`a quantity is kept: ${typeof quantity} ${quantity}`, async () => {
    const { agency, id } = await withReseller();
    const event = { id: 'e', reseller: id, metric: 'messages', quantity, at: new Date() };
    const [outcome] = (await agency.recordUsage([event])).outcomes;
    assert.equal(outcome.kind, 'accepted');
    assert.equal((await agency.overview()).messages, kept);
    const used = await agency.consume({
      reseller: id,
      metric: 'whatsapp_messages',
      quantity,
      id: 'c',
    });
    assert.deepEqual([used.requested, used.used, used.limit], [kept, kept, null]);
    await agency.setAllowance({ reseller: id, metric: 'whatsapp_messages', limit: quantity });
    const denied = await agency.consume({
      reseller: id,
      metric: 'whatsapp_messages',
      quantity: 1,
      id: 'd',
    });
    assert.deepEqual([denied.granted, denied.limit], [false, kept]);
    const { capacity } = await agency.configure({ capacity: { messages: quantity } });
    assert.deepEqual(capacity, { messages: kept });
  });
}

for (const [quantity, code] of REFUSED) {
  test(`a quantity is refused as ${code}: ${typeof quantity} ${quantity}`, async () => {
    const { agency, id } = await withReseller();
    const event = { id: 'e', reseller: id, metric: 'messages', quantity, at: new Date() };
    const [outcome] = (await agency.recordUsage([event])).outcomes;
    assert.deepEqual([outcome.kind, outcome.field, outcome.code], ['rejected', 'quantity', code]);
    const consume = agency.consume({ reseller: id, metric: 'messages', quantity, id: 'c' });
    assert.equal(await refusal(consume), `quantity: ${code}`);
    const allowance = agency.setAllowance({ reseller: id, metric: 'messages', limit: quantity });
    assert.equal(await refusal(allowance), `limit: ${code}`);
    const configure = agency.configure({ capacity: { messages: quantity } });
    assert.equal(await refusal(configure), `capacity: ${code}`);
  });
}

test('a quantity of another type is refused, and never read as a number', async () => {
  const { agency, id } = await withReseller();
  for (const quantity of OTHER) {
    const event = { id: 'e', reseller: id, metric: 'messages', quantity, at: new Date() };
    const [outcome] = (await agency.recordUsage([event])).outcomes;
    assert.deepEqual([outcome.kind, outcome.code], ['rejected', 'invalid']);
    const consume = agency.consume({ reseller: id, metric: 'messages', quantity, id: 'c' });
    assert.equal(await refusal(consume), 'quantity: invalid');
    const allowance = agency.setAllowance({ reseller: id, metric: 'messages', limit: quantity });
    assert.equal(await refusal(allowance), 'limit: invalid');
    const update = agency.updateReseller(id, {}, { version: quantity });
    assert.equal(await refusal(update), 'version: invalid');
  }
  for (const nothing of [undefined, null]) {
    const consume = agency.consume({
      reseller: id,
      metric: 'messages',
      quantity: nothing,
      id: 'c',
    });
    assert.equal(await refusal(consume), 'quantity: empty');
  }
  assert.equal((await agency.overview()).messages, 0n);
});

test('what may pass 2^53 is a bigint, and nothing else is', async () => {
  const { platform, agency, id } = await withReseller();
  const page = await agency.page({ withTotal: true });
  const [change] = await agency.changes();
  const preview = await platform.previewAgencyDeletion('northwind');
  const { version } = await agency.reseller(id);
  for (const number of [
    page.total.count,
    change.sequence,
    change.version,
    preview.resellers,
    version,
  ]) {
    assert.equal(typeof number, 'number');
  }
  const { activeResellers, ...usage } = await agency.overview();
  assert.equal(activeResellers, 1);
  for (const used of Object.values(usage)) assert.equal(typeof used, 'bigint');
});

test('a version is any whole number; a stale one is a conflict', async () => {
  const { agency, id } = await withReseller();
  for (const version of [0, 2, SAFE, 2n, 2n ** 64n - 1n]) {
    const error = await errorOf(agency.updateReseller(id, { name: 'Other' }, { version }));
    assert.deepEqual([error.code, error.currentVersion], ['conflict', 1]);
  }
  for (const version of [1.5, NaN, 2 ** 53]) {
    assert.equal(await refusal(agency.updateReseller(id, {}, { version })), 'version: invalid');
  }
  for (const version of [-1, -1n, 2n ** 64n]) {
    assert.equal(
      await refusal(agency.updateReseller(id, {}, { version })),
      'version: out_of_range',
    );
  }
  assert.equal((await agency.updateReseller(id, { name: 'A' }, { version: 1n })).version, 2);
  assert.equal((await agency.updateReseller(id, { name: 'B' }, { version: null })).version, 3);
  assert.equal((await agency.updateReseller(id, { name: 'C' }, { version: undefined })).version, 4);
});

const AT = [
  new Date(-1),
  new Date('1601-01-01T00:00:00Z'),
  new Date('0001-01-01T00:00:00Z'),
  new Date('9999-12-31T23:59:59.999Z'),
];

for (const at of AT) {
  test(`an instant is kept: ${at.toISOString()}`, async () => {
    const { agency, id } = await withReseller({ clock: () => at });
    const { createdAt, updatedAt } = await agency.reseller(id);
    assert.deepEqual([createdAt, updatedAt], [at, at]);
    assert.equal((await agency.page({ joinedFrom: at })).resellers.length, 1);
    assert.equal((await agency.page({ joinedBefore: at })).resellers.length, 0);
    assert.deepEqual((await agency.changes())[0].at, at);
    assert.deepEqual((await agency.settings()).createdAt, at);
  });
}

test('an instant is truncated to milliseconds, and another date class is a date', async () => {
  const { agency } = await withReseller();
  class MyDate extends Date {}
  const at = new MyDate(1_612_325_106_007.9);
  const { createdAt } = await agency.createReseller(numbered(1, { createdAt: at }));
  assert.equal(createdAt.getTime(), 1_612_325_106_007);
  assert.equal(createdAt.constructor, Date);
});

test('a date that is none is refused', async () => {
  const { agency, id } = await withReseller();
  const none = [
    new Date(NaN),
    Date.now(),
    {},
    [],
    true,
    'yesterday',
    Object.create(Date.prototype),
  ];
  for (const at of none) {
    assert.equal(
      await refusal(agency.createReseller(draft({ createdAt: at }))),
      'createdAt: invalid',
    );
    assert.equal(await refusal(agency.page({ joinedFrom: at })), 'joinedFrom: invalid');
    assert.equal(await refusal(agency.page({ joinedBefore: at })), 'joinedBefore: invalid');
    const event = { id: 'e', reseller: id, metric: 'messages', quantity: 1, at };
    const [outcome] = (await agency.recordUsage([event])).outcomes;
    assert.deepEqual([outcome.kind, outcome.field, outcome.code], ['rejected', 'at', 'invalid']);
  }
});

test('a quarantine that never ends has no date', async () => {
  const { agency, id } = await withReseller({ quarantine: 'never' });
  assert.equal((await agency.previewDeletion(id)).quarantinedUntil, null);
});
