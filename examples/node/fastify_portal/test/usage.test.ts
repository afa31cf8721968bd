/** What a metering service reports, and asks. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { folder, Server, tokens } from './world.js';

const staff = tokens.northwind;
const token: string = tokens.northwindMeter;
const files = folder();
let server: Server;

before(async () => {
  server = await Server.start(files.store);
});
after(async () => {
  await server.stop();
  files.remove();
});

const now = () => new Date().toISOString();
const consume = (json: object, by = token) => server.ask('POST', '/meter/consume', { token: by, json });

test('a metering service has a token of its own', async () => {
  assert.equal((await server.ask('POST', '/meter/events', { token: staff, json: { events: [] } })).status, 401);
  assert.equal((await server.ask('GET', '/agency/overview', { token })).status, 401);
});

test('each event of a batch has its outcome', async () => {
  const { id } = await server.create(staff, 'acme');
  const theirs = await server.create(tokens.contoso, 'globex');
  const event = { id: 'e-1', reseller: id, metric: 'messages', quantity: 5, at: now() };
  const events = [
    event,
    { ...event },
    { ...event, quantity: 6 },
    { ...event, id: 'e-2', quantity: -1 },
    { ...event, id: 'e-3', metric: 'faxes' },
    { ...event, id: 'e-4', at: 'yesterday' },
    { ...event, id: 'e-5', at: '2020-01-01T00:00:00Z' },
    { ...event, id: 'e-6', reseller: theirs.id },
    { ...event, id: 'e-7', metric: 'team_members', quantity: 3 },
    { ...event, id: 'e-8', quantity: '7' },
    null,
    'text',
  ];
  const { status, json } = await server.ask('POST', '/meter/events', { token, json: { events } });
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual(
    json.outcomes.map((outcome: any) => [outcome.id, outcome.kind, outcome.field, outcome.code]),
    [
      ['e-1', 'accepted', null, null],
      ['e-1', 'duplicate', null, null],
      ['e-1', 'conflict', null, null],
      ['e-2', 'rejected', 'quantity', 'negative'],
      ['e-3', 'rejected', 'metric', 'unknown_metric'],
      ['e-4', 'rejected', 'at', 'invalid'],
      ['e-5', 'rejected', 'at', 'too_old'],
      ['e-6', 'rejected', 'reseller', 'unknown_reseller'],
      ['e-7', 'accepted', null, null],
      ['e-8', 'accepted', null, null],
      [null, 'rejected', 'id', 'empty'],
      [null, 'rejected', 'id', 'empty'],
    ],
  );
  const { json: overview } = await server.ask('GET', '/agency/overview', { token: staff });
  assert.deepEqual([overview.messages, overview.teamMembers], ['12', '3']);
  const { json: foreign } = await server.ask('GET', '/agency/overview', { token: tokens.contoso });
  assert.equal(foreign.messages, '0');
});

test('a batch may be as large as the library takes it, and no larger', async () => {
  const { id } = await server.create(staff, 'largely');
  const events = Array.from({ length: 10_000 }, (_, at) => ({
    id: `${'large'.repeat(10)}-${at}`,
    reseller: id,
    metric: 'whatsapp_messages',
    quantity: 1,
    at: now(),
  }));
  const { status, json } = await server.ask('POST', '/meter/events', { token, json: { events } });
  assert.equal(status, 200);
  assert.ok(json.outcomes.length === 10_000 && json.outcomes.every((outcome: any) => outcome.kind === 'accepted'));
  const more = await server.ask('POST', '/meter/events', { token, json: { events: [...events, {}] } });
  assert.deepEqual([more.status, more.json.error.fields[0].code], [422, 'too_many']);
  assert.equal((await server.ask('POST', '/meter/events', { token, json: events })).status, 400);
});

test('use is granted up to the limit, and a denial says until when', async () => {
  const { id: reseller } = await server.create(staff, 'initech');
  await server.ask('PUT', `/agency/resellers/${reseller}/allowances/messages`, { token: staff, json: { limit: 5 } });
  const asked = { id: 'c-1', reseller, metric: 'messages', quantity: 3 };

  const granted = await consume(asked);
  assert.equal(granted.status, 200);
  assert.deepEqual([granted.json.used, granted.json.limit, granted.json.duplicate], ['3', '5', false]);
  const again = await consume(asked);
  assert.deepEqual([again.status, again.json.used, again.json.duplicate], [200, '3', true]);

  const denied = await consume({ ...asked, id: 'c-2' });
  assert.equal(denied.status, 429);
  assert.equal(denied.json.error.code, 'limit_reached');
  assert.equal(denied.json.error.message, '3 of 5 are used; 3 more would pass the limit');
  assert.deepEqual([denied.json.used, denied.json.limit, denied.json.requested], ['3', '5', '3']);
  const wait = Number(denied.headers['retry-after']);
  const until = new Date(denied.json.resetsAt).getTime();
  assert.ok(wait >= 1 && Math.abs(Date.now() + wait * 1_000 - until) < 60_000, `${wait} s until ${denied.json.resetsAt}`);

  assert.equal((await consume({ ...asked, id: 'c-3', quantity: 2 })).status, 200);
  // Of many at once, as many are granted as there is room for.
  await server.ask('PUT', `/agency/resellers/${reseller}/allowances/messages`, { token: staff, json: { limit: 9 } });
  const race = await Promise.all(
    Array.from({ length: 12 }, (_, at) => consume({ ...asked, id: `race-${at}`, quantity: '1' })),
  );
  assert.equal(race.filter(({ status }) => status === 200).length, 4);
  assert.equal(race.filter(({ status }) => status === 429).length, 8);
});

test('a switched-off reseller uses nothing', async () => {
  const { id: reseller } = await server.create(staff, 'hooli');
  await server.ask('POST', `/agency/resellers/${reseller}/deactivate`, { token: staff });
  const denied = await consume({ id: 'off-1', reseller, metric: 'messages', quantity: 1 });
  assert.deepEqual([denied.status, denied.json.error.code], [403, 'inactive']);
  assert.equal(denied.headers['retry-after'], undefined);
  assert.equal(denied.json.used, '0');
});

test('a wrong question is refused, by name', async () => {
  const { id: reseller } = await server.create(staff, 'umbrella');
  const asked = { id: 'w-1', reseller, metric: 'messages', quantity: 1 };
  const refused = async (json: object, by = token) => {
    const answer = await consume(json, by);
    return [answer.status, answer.json.error.fields?.[0].field ?? answer.json.error.code];
  };
  assert.deepEqual(await refused({ ...asked, metric: 'faxes' }), [422, 'metric']);
  assert.deepEqual(await refused({ ...asked, quantity: -1 }), [422, 'quantity']);
  assert.deepEqual(await refused({ ...asked, quantity: 1.5 }), [400, 'bad_request']);
  assert.deepEqual(await refused({ ...asked, quantity: 'many' }), [400, 'bad_request']);
  assert.deepEqual(await refused({ ...asked, quantity: undefined }), [400, 'bad_request']);
  assert.deepEqual(await refused({ ...asked, reseller: 'nobody' }), [404, 'not_found']);
  assert.deepEqual(await refused(asked, tokens.contosoMeter), [404, 'not_found']);
  assert.equal((await consume(asked)).status, 200);
  assert.deepEqual(await refused({ ...asked, quantity: 2 }), [422, 'id'], 'the id of another event');
});

test('looking at the usage consumes nothing, and is never out of date', async () => {
  const { id: reseller } = await server.create(staff, 'looky');
  const look = async () => (await server.ask('GET', `/agency/resellers/${reseller}/usage`, { token: staff })).json;
  assert.deepEqual((await look()).map((metric: any) => [metric.metric, metric.used]), [
    ['messages', '0'],
    ['whatsapp_messages', '0'],
    ['whatsapp_conversations', '0'],
  ]);
  await consume({ id: 'l-1', reseller, metric: 'messages', quantity: 3 });
  assert.equal((await look())[0].used, '3');
  await consume({ id: 'l-2', reseller, metric: 'messages', quantity: 4 });
  assert.equal((await look())[0].used, '7');
  // Also when nothing more is granted.
  await server.ask('PUT', `/agency/resellers/${reseller}/allowances/messages`, { token: staff, json: { limit: 2 } });
  assert.deepEqual([(await look())[0].used, (await look())[0].limit], ['7', '2']);
  await server.ask('POST', `/agency/resellers/${reseller}/deactivate`, { token: staff });
  assert.equal((await look())[0].used, '7');
});
