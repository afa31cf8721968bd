/** What an agency's programs do with resellers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { draft, folder, hostOf, password, Server, tokens } from './world.js';

const token: string = tokens.northwind;
const files = folder();
let server: Server;

before(async () => {
  server = await Server.start(files.store);
});
after(async () => {
  await server.stop();
  files.remove();
});

test('a token is required, and is looked at before a body', async () => {
  for (const wrong of [undefined, 'northwind', `${token}x`, tokens.northwindMeter]) {
    const headers = { 'content-type': 'application/json' };
    const answer = await server.ask('POST', '/agency/resellers', { headers, ...(wrong && { token: wrong }) });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
    assert.equal(answer.json.error.code, 'unauthorized');
  }
});

test('a reseller is created from a form as it comes', async () => {
  const made = await server.ask('POST', '/agency/resellers', {
    token,
    json: draft('acme', { createdAt: '2024-02-29T12:00:00Z', metadata: { plan: 'gold' } }),
  });
  assert.equal(made.status, 201);
  assert.equal(made.headers.etag, '"1"');
  assert.equal(made.json.phone, '+14155552671');
  assert.equal(made.json.createdAt, '2024-02-29T12:00:00.000Z');
  assert.ok(!made.text.includes(password));
  const read = await server.ask('GET', made.headers.location!, { token });
  assert.deepEqual(read.json, made.json);
  assert.equal(read.headers.etag, '"1"');
});

test('every wrong field of a form has its answer', async () => {
  const json = draft('Globex', { email: 'nobody', phone: 5, surprise: true });
  const answer = await server.ask('POST', '/agency/resellers', { token, json });
  assert.equal(answer.status, 422);
  assert.equal(answer.json.error.code, 'validation');
  const fields = answer.json.error.fields.map((error: any) => [error.field, error.code]);
  assert.deepEqual(new Map(fields).get('loginDomain'), 'uppercase');
  assert.deepEqual(
    fields.map(([field]: string[]) => field).sort(),
    ['email', 'loginDomain', 'phone.number', 'surprise'],
  );
  assert.ok(answer.json.error.fields.every((error: any) => error.message.length > 0));
});

test('what is no form at all is refused as such', async () => {
  for (const json of [[], 'text', 5, null]) {
    const answer = await server.ask('POST', '/agency/resellers', { token, json });
    assert.deepEqual([answer.status, answer.json.error.code], [400, 'bad_request'], JSON.stringify(json));
  }
  const headers = { 'content-type': 'application/json' };
  assert.equal((await server.ask('POST', '/agency/resellers', { token, headers })).status, 400);
});

test('a repeated request with a key creates one reseller', async () => {
  const asked = { token, json: draft('oncely'), headers: { 'idempotency-key': 'order-77' } };
  const first = await server.ask('POST', '/agency/resellers', asked);
  const second = await server.ask('POST', '/agency/resellers', asked);
  assert.deepEqual([first.status, second.status], [201, 201]);
  assert.equal(second.json.id, first.json.id);
  const other = await server.ask('POST', '/agency/resellers', { ...asked, json: draft('twicely') });
  assert.deepEqual([other.status, other.json.error.code], [409, 'conflict']);
  assert.equal(other.json.error.currentVersion, undefined);
});

test('a form is checked while it is filled in, one field at a time', async () => {
  const check = async (field: string, json: object) => {
    const answer = await server.ask('POST', `/agency/resellers/check?field=${field}`, { token, json });
    assert.equal(answer.status, 200);
    return answer.json.errors.map((error: any) => [error.field, error.code]);
  };
  assert.deepEqual(await check('loginDomain', { loginDomain: 'Ac' }), [['loginDomain', 'uppercase']]);
  assert.deepEqual(await check('loginDomain', { loginDomain: 'initech' }), []);
  assert.deepEqual(await check('password', { password: 'short' }), [['password', 'too_short']]);
  const contact = { name: 'Ann Lee', email: 'x', phone: '+49 30 901820' };
  assert.deepEqual(await check('contact', { contact }), [['contact.email', 'invalid']]);
  assert.deepEqual(await check('nonsense', {}), [['nonsense', 'unknown_field']]);
  const isCheck = ({ msg, req }: any) => msg === 'incoming request' && req.path === '/agency/resellers/check';
  const last = await server.logged(isCheck, 5);
  await server.logged(({ msg, reqId }) => msg === 'request completed' && reqId === last['reqId']);
  const meanwhile = server.lines.slice(server.lines.findIndex(isCheck));
  const calls = meanwhile.filter(({ msg, operation }) => msg === 'partnerkit' && operation !== 'maintain');
  assert.deepEqual(calls, [], 'no store is asked');
  const all = await server.ask('POST', '/agency/resellers/check', { token, json: {} });
  assert.ok(all.json.errors.length > 5);
});

test('whether a login domain is free, and what else is', async () => {
  await server.create(token, 'hooli');
  const { json } = await server.ask('GET', '/agency/login-domains/hooli', { token });
  assert.equal(json.refused, 'taken');
  const free = await server.ask('GET', `/agency/login-domains/${json.suggestions[0]}`, { token });
  assert.equal(free.json.refused, null);
});

test('a list has pages, a total, filters and an order', async () => {
  for (const name of ['Ålpha', 'Bravo', 'Charlie', 'Delta', 'Écho']) {
    const domain = `list${name.normalize('NFD').replace(/[^a-z]/gi, '').toLowerCase()}`;
    await server.create(token, domain, { name: `${name} Listed` });
  }
  const names: string[] = [];
  let after = '';
  let pages = 0;
  do {
    const query = new URLSearchParams({ text: 'listed', sort: 'name', limit: '2', total: 'true', ...(after && { after }) });
    const { status, json } = await server.ask('GET', `/agency/resellers?${query}`, { token });
    assert.equal(status, 200);
    assert.deepEqual(json.total, { count: 5, exact: true });
    names.push(...json.resellers.map((reseller: any) => reseller.name.split(' ')[0]));
    after = json.next;
    pages++;
  } while (after);
  assert.deepEqual(names, ['Ålpha', 'Bravo', 'Charlie', 'Delta', 'Écho']);
  assert.equal(pages, 3);

  const found = async (query: string) => {
    const { status, json } = await server.ask('GET', `/agency/resellers?text=listed&sort=name&${query}`, { token });
    assert.equal(status, 200, JSON.stringify(json));
    return json.resellers.map((reseller: any) => reseller.name.split(' ')[0]);
  };
  assert.deepEqual(await found('descending=true'), names.toReversed());
  assert.deepEqual(await found('status=inactive'), []);
  assert.deepEqual(await found('partnerType=own_plans'), names);
  assert.deepEqual(await found('partnerType=commission'), []);
  assert.deepEqual(await found('joinedFrom=2000-01-01T00:00:00Z'), names);
  assert.deepEqual(await found('joinedBefore=2000-01-01T00:00:00Z'), []);
  const echo = await server.ask('GET', '/agency/resellers?text=echo', { token });
  assert.deepEqual(echo.json.resellers.map((reseller: any) => reseller.name), ['Écho Listed']);
  assert.equal(echo.json.total, null);
});

test('a query that makes no sense is refused, by name', async () => {
  const refused = async (query: string) => {
    const { status, json } = await server.ask('GET', `/agency/resellers?${query}`, { token });
    return [status, json.error.fields?.[0].field ?? json.error.code];
  };
  assert.deepEqual(await refused('limit=0'), [422, 'limit']);
  assert.deepEqual(await refused('limit=many'), [422, 'limit']);
  assert.deepEqual(await refused('status=asleep'), [422, 'status']);
  assert.deepEqual(await refused('sort=size'), [422, 'sort']);
  assert.deepEqual(await refused('joinedFrom=yesterday'), [422, 'joinedFrom']);
  assert.deepEqual(await refused('after=nonsense'), [400, 'invalid_cursor']);
  assert.deepEqual(await refused('txet=listed'), [400, 'bad_request']);
  assert.deepEqual(await refused('text=a&text=b'), [400, 'bad_request']);
});

test('the log has no search and no cursor', async () => {
  await server.ask('GET', '/agency/resellers?text=secretive', { token });
  assert.ok(!JSON.stringify(server.lines).includes('secretive'));
});

test('a profile is changed by whoever has seen it last', async () => {
  const { id } = await server.create(token, 'umbrella');
  const path = `/agency/resellers/${id}`;
  const change = (headers: Record<string, string>, json: object) => server.ask('PATCH', path, { token, headers, json });

  const blind = await change({}, { name: 'Blind' });
  assert.deepEqual([blind.status, blind.json.error.code], [428, 'version_required']);
  assert.equal((await change({ 'if-match': 'W/"1"' }, { name: 'Weak' })).status, 400);

  const changed = await change({ 'if-match': '"1"' }, { name: 'Umbrella One', website: 'https://umbrella.example' });
  assert.deepEqual([changed.status, changed.headers.etag, changed.json.name], [200, '"2"', 'Umbrella One']);

  const late = await change({ 'if-match': '"1"' }, { name: 'Too late' });
  assert.deepEqual([late.status, late.json.error.code], [409, 'conflict']);
  assert.equal(late.json.error.currentVersion, 2);
  assert.equal((await server.ask('GET', path, { token })).json.name, 'Umbrella One');

  assert.equal((await change({ 'if-match': '*' }, { website: null })).json.website, null);
  const wrong = await change({ 'if-match': '*' }, { loginDomain: 'elsewhere', email: 'x' });
  assert.equal(wrong.status, 422);
  assert.deepEqual(wrong.json.error.fields.map((error: any) => error.field).sort(), ['email', 'loginDomain']);
});

test('a reseller is switched off with a reason, and on again', async () => {
  const { id } = await server.create(token, 'wayne');
  const off = await server.ask('POST', `/agency/resellers/${id}/deactivate`, { token, json: { reason: 'nonpayment' } });
  assert.deepEqual([off.status, off.json.status, off.json.deactivationReason], [200, 'inactive', 'nonpayment']);
  const on = await server.ask('POST', `/agency/resellers/${id}/activate`, { token });
  assert.deepEqual([on.status, on.json.status, on.json.deactivationReason], [200, 'active', null]);
  const silent = await server.ask('POST', `/agency/resellers/${id}/deactivate`, { token });
  assert.deepEqual([silent.status, silent.json.deactivationReason], [200, null]);
  for (const [json, status] of [
    [{ reason: 5 }, 400],
    [{ raeson: 'typo' }, 400],
    [{ reason: 'x'.repeat(501) }, 422],
  ] as const) {
    assert.equal((await server.ask('POST', `/agency/resellers/${id}/deactivate`, { token, json })).status, status);
  }
});

test('a login domain is renamed, and the old one leads nowhere', async () => {
  const { id } = await server.create(token, 'stark');
  const path = `/agency/resellers/${id}/login-domain`;
  const headers = { 'if-match': '"1"' };
  const taken = await server.ask('PUT', path, { token, headers, json: { loginDomain: 'acme' } });
  assert.deepEqual([taken.status, taken.json.error.fields[0].code], [422, 'taken']);
  const renamed = await server.ask('PUT', path, { token, headers, json: { loginDomain: 'starkly' } });
  assert.deepEqual([renamed.status, renamed.json.loginDomain, renamed.headers.etag], [200, 'starkly', '"2"']);
  const late = await server.ask('PUT', path, { token, headers, json: { loginDomain: 'starker' } });
  assert.deepEqual([late.status, late.json.error.currentVersion], [409, 2]);
  assert.equal((await server.ask('GET', '/sign-in', { host: hostOf('starkly') })).status, 200);
  assert.equal((await server.ask('GET', '/sign-in', { host: hostOf('stark') })).status, 404);
});

test('a limit is set, lifted, and never lifted by leaving it out', async () => {
  const { id } = await server.create(token, 'tyrell');
  const path = `/agency/resellers/${id}/allowances`;
  const limit = async () => (await server.ask('GET', `/agency/resellers/${id}/usage`, { token })).json[0].limit;
  assert.equal(await limit(), null);
  assert.equal((await server.ask('PUT', `${path}/messages`, { token, json: { limit: 10 } })).status, 204);
  assert.equal(await limit(), '10');
  for (const json of [{}, { limt: 5 }, { limit: 'many' }, { limit: 1.5 }, { limit: true }]) {
    const answer = await server.ask('PUT', `${path}/messages`, { token, json });
    assert.equal(answer.status, 400, JSON.stringify(json));
  }
  assert.equal(await limit(), '10');
  const large = '9007199254740993';
  assert.equal((await server.ask('PUT', `${path}/messages`, { token, json: { limit: large } })).status, 204);
  assert.equal(await limit(), large);
  for (const [metric, json, code] of [
    ['messages', { limit: -1 }, 'negative'],
    ['team_members', { limit: 1 }, 'not_a_counter'],
    ['faxes', { limit: 1 }, 'unknown_metric'],
  ] as const) {
    const { status, json: said } = await server.ask('PUT', `${path}/${metric}`, { token, json });
    assert.deepEqual([status, said.error.fields[0].code], [422, code]);
  }
  assert.equal((await server.ask('PUT', `${path}/messages`, { token, json: { limit: null } })).status, 204);
  assert.equal(await limit(), null);
});

test('the feed tells every change once, in order, and who made it', async () => {
  const seen: any[] = [];
  const read = async (after: number) => {
    const { status, json } = await server.ask('GET', `/agency/changes?after=${after}&limit=7`, { token });
    assert.equal(status, 200);
    seen.push(...json.changes);
    return json;
  };
  const { id } = await server.create(token, 'feedly');
  await server.ask('POST', `/agency/resellers/${id}/deactivate`, { token, headers: { 'x-actor': 'ann' } });
  let after = 0;
  for (let page = await read(after); page.changes.length > 0; page = await read(after)) after = page.next;
  assert.deepEqual(seen.map(({ sequence }) => sequence), seen.map((_, at) => at + 1));
  assert.deepEqual(
    seen.filter(({ reseller }) => reseller === id).map(({ kind, actor }) => [kind, actor]),
    [
      ['reseller_created', null],
      ['reseller_deactivated', 'ann'],
    ],
  );
  assert.equal((await read(after)).next, after, 'nothing new: ask from the same place again');
  assert.equal((await server.ask('GET', '/agency/changes?limit=0', { token })).status, 422);
  assert.equal((await server.ask('GET', '/agency/changes?after=x', { token })).status, 422);
});

test('two agencies do not see each other', async () => {
  const other = tokens.contoso;
  const { id } = await server.create(token, 'mine', { name: 'Secluded' });
  const theirs = await server.create(other, 'theirs', { name: 'Secluded' });
  const path = `/agency/resellers/${id}`;
  const headers = { 'if-match': '*' };
  const answers = [
    await server.ask('GET', path, { token: other }),
    await server.ask('PATCH', path, { token: other, headers, json: { name: 'Taken over' } }),
    await server.ask('POST', `${path}/deactivate`, { token: other }),
    await server.ask('POST', `${path}/activate`, { token: other }),
    await server.ask('PUT', `${path}/login-domain`, { token: other, headers, json: { loginDomain: 'overtaken' } }),
    await server.ask('PUT', `${path}/allowances/messages`, { token: other, json: { limit: 0 } }),
    await server.ask('GET', `${path}/usage`, { token: other }),
  ];
  assert.deepEqual(answers.map(({ status, json }) => [status, json.error.code]), answers.map(() => [404, 'not_found']));
  assert.deepEqual((await server.ask('GET', path, { token })).json.version, 1, 'nothing has changed');

  const list = await server.ask('GET', '/agency/resellers?text=secluded&total=true', { token: other });
  assert.deepEqual(list.json.resellers.map((reseller: any) => reseller.id), [theirs.id]);
  assert.equal(list.json.total.count, 1);
  const changes = await server.ask('GET', '/agency/changes', { token: other });
  assert.deepEqual(new Set(changes.json.changes.map((change: any) => change.reseller)), new Set([null, theirs.id]));
  assert.equal((await server.ask('GET', '/agency/overview', { token: other })).json.activeResellers, 1);
  const exported = await server.ask('GET', '/agency/resellers/export', { token: other });
  assert.ok(exported.text.includes('theirs') && !exported.text.includes('mine'));
  // Cursors of one agency mean nothing to another.
  const { next } = (await server.ask('GET', '/agency/resellers?limit=1', { token })).json;
  const foreign = await server.ask('GET', `/agency/resellers?limit=1&after=${encodeURIComponent(next)}`, { token: other });
  assert.deepEqual([foreign.status, foreign.json.error.code], [400, 'invalid_cursor']);
  // The same email may be in both, but a login domain is one host for all.
  const same = await server.ask('POST', '/agency/resellers', { token: other, json: draft('mine') });
  assert.deepEqual(same.json.error.fields.map((error: any) => error.field), ['loginDomain']);
});

test('the overview counts beyond 2^53', async () => {
  const { id } = await server.create(token, 'large');
  const before = BigInt((await server.ask('GET', '/agency/overview', { token })).json.messages);
  const json = {
    events: [
      { id: 'large-1', reseller: id, metric: 'messages', quantity: '9007199254740993', at: new Date().toISOString() },
    ],
  };
  const { json: said } = await server.ask('POST', '/meter/events', { token: tokens.northwindMeter, json });
  assert.deepEqual(said.outcomes.map((outcome: any) => outcome.kind), ['accepted']);
  const { json: overview } = await server.ask('GET', '/agency/overview', { token });
  assert.equal(BigInt(overview.messages) - before, 9007199254740993n);
  assert.deepEqual([typeof overview.activeResellers, overview.teamMembers], ['number', '0']);
});

test('an unknown path is 404, as JSON', async () => {
  const answer = await server.ask('GET', '/agency/nothing', { token });
  assert.deepEqual([answer.status, answer.json.error.code], [404, 'not_found']);
  assert.equal((await server.ask('GET', '/agency/resellers/nobody', { token })).status, 404);
});
