// A polluted `Object.prototype` changes nothing: nothing that is inherited is read.
'use strict';

const assert = require('node:assert/strict');
const { afterEach, test } = require('node:test');

const { Platform } = require('..');
const { draft, errorOf, numbered } = require('./support');

/** Inherited fields, until the test has ended. */
const polluted = new Set();
function pollute(fields) {
  for (const [name, value] of Object.entries(fields)) {
    polluted.add(name);
    Object.defineProperty(Object.prototype, name, {
      value,
      configurable: true,
      writable: true,
      enumerable: true,
    });
  }
}
afterEach(() => {
  for (const name of polluted) delete Object.prototype[name];
  polluted.clear();
});

test('forms', async () => {
  const platform = await Platform.open('memory:');
  const agency = await platform.createAgency('northwind');
  const { id } = await agency.createReseller(draft());
  pollute({
    website: 'https://evil.example',
    status: 'inactive',
    metadata: { evil: 'yes' },
    text: 'nothing',
  });
  const created = await agency.createReseller(numbered(1));
  assert.deepEqual([created.website, created.status, created.metadata], [null, 'active', {}]);
  assert.equal((await agency.updateReseller(id, {})).version, 1);
  assert.equal((await agency.page({})).resellers.length, 2);
});

test('settings', async () => {
  pollute({
    secondFactor: true,
    loginBase: 'evil.example',
    clock: () => new Date(0),
    quarantine: 'never',
  });
  for (const platform of [
    await Platform.open('memory:'),
    await Platform.open('memory:', { signInLimit: 5 }),
  ]) {
    assert.equal(platform.loginUrl('acme'), 'https://acme.partner.localhost');
    const agency = await platform.createAgency('northwind');
    const { createdAt } = await agency.settings();
    assert.ok(createdAt > new Date('2020-01-01'), "the clock is the system's");
    const short = { invite: false, password: 'Xq7#kW9!zR4v', passwordConfirmation: 'Xq7#kW9!zR4v' };
    assert.equal((await errorOf(agency.createReseller(draft(short)))).fields[0].code, 'too_short');
  }
});

test('settings within settings', async () => {
  pollute({ 2: new Uint8Array(32), burst: 1, anything: 1 });
  const secrets = { 1: new Uint8Array(32).fill(1) };
  const platform = await Platform.open('memory:', {
    secrets,
    sourceLimit: { burst: 5, every: 1_000 },
  });
  await platform.createAgency('northwind');
  await assert.rejects(Platform.open('memory:', { sourceLimit: { every: 1_000 } }), TypeError);
});

test('events', async () => {
  const platform = await Platform.open('memory:');
  const agency = await platform.createAgency('northwind');
  const { id: reseller } = await agency.createReseller(draft());
  pollute({ quantity: 1_000 });
  const event = { id: 'e', reseller, metric: 'messages', at: new Date() };
  const [outcome] = (await agency.recordUsage([event])).outcomes;
  assert.deepEqual([outcome.kind, outcome.field], ['rejected', 'quantity']);
});

test('options and requests', async () => {
  const platform = await Platform.open('memory:');
  const agency = await platform.createAgency('northwind');
  const { id } = await agency.createReseller(draft());
  pollute({ reason: 'evil', version: 7, limit: 1_000, quantity: 5 });
  assert.equal((await agency.deactivate(id)).deactivationReason, null);
  assert.equal((await agency.updateReseller(id, { name: 'Other' })).name, 'Other');
  const consume = agency.consume({ reseller: id, metric: 'messages', id: 'c' });
  await assert.rejects(consume, { message: 'quantity is required' });
});

test('options and requests with a name that there is not', async () => {
  const platform = await Platform.open('memory:');
  const agency = await platform.createAgency('northwind');
  const { id } = await agency.createReseller(draft());
  const stale = agency.updateReseller(id, { name: 'Other' }, { verison: 7 });
  await assert.rejects(stale, { name: 'TypeError', message: "options: there is no 'verison'" });
  const request = { reseller: id, metric: 'messages', quantity: 1, id: 'c', at: new Date() };
  await assert.rejects(agency.consume(request), { message: "request: there is no 'at'" });
  await assert.rejects(platform.signIn(null), TypeError);
});
