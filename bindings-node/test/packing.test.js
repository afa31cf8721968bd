// Events cross to the native module packed in one text: whatever they consist of, each is accepted or
// rejected by itself.
'use strict';

const assert = require('node:assert/strict');
const { afterEach, test } = require('node:test');
const vm = require('node:vm');

const { Platform } = require('..');
const { draft } = require('./support');

const { prototype: ofObjects } = Object;
const { prototype: ofArrays } = Array;

afterEach(() => {
  for (const name of ['toJSON', 'get']) delete ofObjects[name];
  for (const name of ['toJSON', '3']) delete ofArrays[name];
});

async function scene() {
  const platform = await Platform.open('memory:');
  const agency = await platform.createAgency('northwind');
  const { id: reseller } = await agency.createReseller(draft());
  const event = (id, fields = {}) => {
    return { id, reseller, metric: 'messages', quantity: 1, at: new Date(), ...fields };
  };
  return { agency, event };
}

/** What became of each event: its kind, or the field and the code of its rejection. */
async function outcomes(agency, events) {
  const report = await agency.recordUsage(events);
  return report.outcomes.map(({ kind, field, code }) =>
    field === null ? kind : `${field}: ${code}`,
  );
}

test('texts are taken as they are', async () => {
  const { agency, event } = await scene();
  const ids = ['"', '\\', 'true', 'null', '[]', 'é', '😀', '\u2028', 'a'.repeat(255)];
  const events = ids.map((id) => event(id));
  assert.deepEqual(new Set(await outcomes(agency, events)), new Set(['accepted']));
  // Each id came whole: the same ids are duplicates, and a change in one is not.
  assert.deepEqual(new Set(await outcomes(agency, events)), new Set(['duplicate']));
  for (const id of ids) assert.equal(await agency.voidEvent(id), true);
});

test('half a character rejects its event alone', async () => {
  const { agency, event } = await scene();
  const events = [event('a\ud800'), event('a'), event('b', { metric: '\udc00' })];
  assert.deepEqual(await outcomes(agency, events), ['id: invalid', 'accepted', 'metric: invalid']);
});

test('an instant is a Date of any realm, or a text', async () => {
  const { agency, event } = await scene();
  const foreign = vm.runInNewContext('new Date()');
  const liar = Object.assign(new Date(), { getTime: () => 0, valueOf: () => 0, toJSON: () => 'x' });
  const times = [foreign, liar, new Date().toISOString(), new Date(NaN), Date.now(), {}];
  const events = times.map((at, n) => event(`e${n}`, { at }));
  const wrong = 'at: invalid';
  const told = await outcomes(agency, events);
  assert.deepEqual(told, ['accepted', 'accepted', 'accepted', wrong, wrong, wrong]);
});

test('an integer of any length has an answer', async () => {
  const { agency, event } = await scene();
  const quantities = [2n ** 62n, 2n ** 63n, 10n ** 400n, -(10n ** 400n), 2n ** 127n, -1n, -0];
  const events = quantities.map((quantity, n) => event(`e${n}`, { quantity }));
  assert.deepEqual(await outcomes(agency, events), [
    'accepted',
    'quantity: out_of_range',
    'quantity: out_of_range',
    'quantity: negative',
    'quantity: out_of_range',
    'quantity: negative',
    'accepted',
  ]);
});

test('a name that an event does not have rejects it, unless its value is undefined', async () => {
  const { agency, event } = await scene();
  const events = [event('a', { colour: 1 }), event('b', { colour: undefined }), event('c')];
  events[2][Symbol('mine')] = 1;
  assert.deepEqual(await outcomes(agency, events), [
    'colour: unknown_field',
    'accepted',
    'accepted',
  ]);
});

test('what is no object is rejected alone', async () => {
  const { agency, event } = await scene();
  const told = await outcomes(agency, [null, 5, 'text', [], () => {}, event('a')]);
  assert.deepEqual(told, [...Array(5).fill('id: empty'), 'accepted']);
});

test('what is no array, and a hole in one, are mistakes of the program', async () => {
  const { agency, event } = await scene();
  for (const events of [undefined, null, 'text', { length: 0 }, new Set()]) {
    await assert.rejects(agency.recordUsage(events), {
      name: 'TypeError',
      message: 'events: expected an array of objects',
    });
  }
  const holed = [event('a'), , event('b')]; // eslint-disable-line no-sparse-arrays -- on purpose
  await assert.rejects(agency.recordUsage(holed), {
    name: 'TypeError',
    message: 'events: the array has a hole',
  });
  assert.deepEqual(await outcomes(agency, []), []);
});

test('what a getter throws is thrown, and nothing is recorded', async () => {
  const { agency, event } = await scene();
  const thrown = new Error('mine');
  const throwing = Object.defineProperty(event('b'), 'metric', {
    get() {
      throw thrown;
    },
  });
  await assert.rejects(agency.recordUsage([event('a'), throwing]), thrown);
  assert.equal((await agency.overview()).messages, 0n);
});

test('what all objects inherit does not count', async () => {
  const { agency, event } = await scene();
  ofObjects.toJSON = () => 'evil';
  ofArrays.toJSON = () => ['evil'];
  ofObjects.get = () => 'evil';
  Object.defineProperty(ofArrays, '3', { set() {}, get: () => 1_000, configurable: true });
  const overview = async () => (await agency.overview()).messages;
  const told = await agency.recordUsage([event('a')]);
  delete ofArrays[3]; // the test's own library stumbles over it
  assert.equal(told.outcomes[0].kind, 'accepted');
  assert.equal(await overview(), 1n);
});

test('half a character in a name rejects its event alone', async () => {
  const { agency, event } = await scene();
  const told = await outcomes(agency, [event('a', { 'k\ud800': 1 }), event('b')]);
  assert.deepEqual(told, ['k\ufffd: unknown_field', 'accepted']);
});

test('a field that is not enumerable is none', async () => {
  const { agency, event } = await scene();
  const hidden = Object.defineProperty(event('a'), 'quantity', { enumerable: false });
  const told = await outcomes(agency, [hidden, { ...event('b'), colour: 1 }]);
  assert.deepEqual(told, ['quantity: empty', 'colour: unknown_field']);
});
