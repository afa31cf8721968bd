// One create and one get through a storage of asynchronous JavaScript.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { PartnerKitError, Platform, schemaVersion, tables } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');
const { draft, opened } = require('./support');

/** The rows of a table as objects. */
function objects(store, name) {
  const { columns } = tables.find((table) => table.name === name);
  const object = (row) => Object.fromEntries(columns.map((column, i) => [column.name, row[i]]));
  return store.rows(name).map(object);
}

test('a create writes its rows, and a get finds it', async () => {
  const { store, agency } = await opened();
  const before = Date.now();
  const created = await agency.createReseller(draft({ metadata: { tier: 'gold' } }));
  assert.equal(created.loginDomain, 'acme');
  assert.equal(created.phone, '+14155552671');
  assert.equal(created.contact.phone, '+4930901820');
  assert.deepEqual(created.metadata, { tier: 'gold' });
  assert.ok(created.createdAt instanceof Date && created.createdAt >= before);

  const { id } = created;
  const [agencyId, createdAt] = ['northwind', BigInt(created.createdAt.getTime())];
  const label = { label: 'acme', agency: agencyId, reseller: id, quarantined_until: null };
  assert.deepEqual(objects(store, 'labels'), [label]);
  const [row] = objects(store, 'resellers');
  assert.equal(store.rows('resellers').length, 1);
  assert.equal(row.id, id);
  assert.equal(row.version, 1n);
  assert.equal(row.created_at, createdAt);
  assert.equal(row.email_key, 'owner@acme.example');
  assert.equal(row.search_text, 'acme telecom\nowner@acme.example');
  const [credentials] = objects(store, 'credentials');
  assert.equal(credentials.reseller, id);
  assert.ok(credentials.generation instanceof Uint8Array && credentials.generation.length === 16);
  assert.equal(credentials.hash, null, 'an invited reseller has no password');
  const total = { agency: agencyId, name: 'active_resellers', value: 1n };
  assert.deepEqual(objects(store, 'totals'), [total]);
  const kinds = objects(store, 'pending_changes').map(({ kind, reseller }) => [kind, reseller]);
  assert.deepEqual(
    kinds.sort(),
    [
      ['agency_created', null],
      ['reseller_created', id],
    ].sort(),
  );

  assert.deepEqual(await agency.reseller(id), created);
});

test('a storage is called once for what belongs together', async () => {
  const { store, agency } = await opened();
  store.calls.length = 0;
  const { id } = await agency.createReseller(draft());
  assert.deepEqual(store.calls, ['begin', 'ask', 'tell', 'commit']);
  store.calls.length = 0;
  await agency.reseller(id);
  assert.deepEqual(store.calls, ['begin', 'ask', 'commit']);
});

test('a refused form names every field, and writes nothing (S1, S57)', async () => {
  const { store, agency } = await opened();
  const refused = await agency
    .createReseller({ loginDomain: 'Acme', invite: true })
    .catch((e) => e);
  assert.ok(refused instanceof PartnerKitError);
  assert.equal(refused.code, 'validation');
  const fields = Object.fromEntries(refused.fields.map(({ field, code }) => [field, code]));
  assert.equal(fields.loginDomain, 'uppercase');
  assert.equal(fields.name, 'empty');
  assert.equal(fields['contact.phone.number'], 'empty');
  assert.equal(store.rows('resellers').length, 0);
});

test('what is not there is not found (S26, S56)', async () => {
  const { platform, agency } = await opened();
  const code = (promise) =>
    promise.then(
      () => 'found',
      (error) => error.code,
    );
  assert.equal(await code(agency.reseller('no id')), 'not_found');
  assert.equal(await code(agency.reseller('0199aaaa-0000-7000-8000-000000000000')), 'not_found');
  assert.equal(await code(platform.agency('nortwind')), 'not_found');
});

test('a storage of a newer release is refused, its version named (S52)', async () => {
  const store = new AsyncMemoryStore();
  store.schemaVersion = async () => schemaVersion + 98;
  const refused = await Platform.withStorage(store).catch((error) => error);
  assert.equal(refused.code, 'configuration');
  assert.ok(refused.message.includes(`${schemaVersion + 98}`), refused.message);
  assert.deepEqual(store.calls, [], 'nothing else was asked');
  for (const wrong of [undefined, 1.5, -1n, 'one']) {
    store.schemaVersion = async () => wrong;
    await assert.rejects(Platform.withStorage(store), { code: 'storage' });
  }
});

test('of two creates of one label, one has it and one is told that it is taken (S3)', async () => {
  const { store, agency } = await opened();
  const create = (email) => agency.createReseller(draft({ email, externalId: undefined }));
  const [a, b] = await Promise.allSettled([create('a@acme.example'), create('b@acme.example')]);
  const [won, lost] = a.status === 'fulfilled' ? [a, b] : [b, a];
  assert.equal(won.status, 'fulfilled');
  assert.equal(lost.reason.code, 'validation');
  const fields = lost.reason.fields.map(({ field, code }) => [field, code]);
  assert.deepEqual(fields, [['loginDomain', 'taken']]);
  assert.equal(store.rows('resellers').length, 1);
  assert.equal(store.rows('totals')[0].at(-1), 1n);
});

test('many creates at once all end', async () => {
  const { store, agency } = await opened();
  const letter = (n) => String.fromCharCode(97 + n);
  const creates = Array.from({ length: 20 }, (_, n) =>
    agency.createReseller(draft({ loginDomain: letter(n), email: `${letter(n)}@x.example` })),
  );
  await Promise.all(creates);
  assert.equal(store.rows('resellers').length, 20);
});

test('the event loop turns while the core waits', async () => {
  const { agency } = await opened();
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  // With a password: hashing takes its time, too, and not the event loop's.
  const password = 'plain teal walrus 94 umbrella';
  await agency.createReseller(draft({ invite: false, password, passwordConfirmation: password }));
  clearInterval(timer);
  assert.ok(ticks >= 5, `${ticks} ticks`);
});

test('a platform opened again on the same storage finds what is there', async () => {
  const store = new AsyncMemoryStore();
  const { agency } = await opened({}, store);
  const { id } = await agency.createReseller(draft());
  const again = await Platform.withStorage(store);
  assert.equal((await (await again.agency('northwind')).reseller(id)).loginDomain, 'acme');
  assert.equal(store.rows('secrets').length, 1);
});
