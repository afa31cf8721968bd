/** What a reseller does at its login domain. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, cookieOf, folder, hostOf, otherPassword, password, Server, tokens } from './world.js';

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

const browser = { accept: 'text/html,application/xhtml+xml' };
const me = (loginDomain: string, cookie?: string) => server.ask('GET', '/me', { host: hostOf(loginDomain), cookie });
const code = ({ status, json }: Answer) => [status, json?.error.code];

test('a program signs in with JSON, and gets a cookie for this host alone', async () => {
  await server.create(token, 'acme');
  const json = { email: 'OWNER@acme.example', password };
  const answer = await server.ask('POST', '/sign-in', { host: 'ACME.partner.localhost:8000', json });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const set = answer.headers['set-cookie']![0]!;
  assert.match(set, /; HttpOnly/);
  assert.match(set, /; SameSite=Lax/);
  assert.doesNotMatch(set, /Domain=|Secure/);
  const own = await me('acme', cookieOf(answer));
  assert.equal(own.status, 200);
  assert.deepEqual([own.json.name, own.json.loginDomain], ['acme Télécom', 'acme']);
});

test('a person signs in with a form, and sees the own page', async () => {
  const host = hostOf('globex');
  const { id } = await server.create(token, 'globex', { name: '<b>Globex</b> & "Sons"' });
  await server.ask('PUT', `/agency/resellers/${id}/allowances/messages`, { token, json: { limit: 5_000 } });
  const consumed = { id: 'globex-1', reseller: id, metric: 'messages', quantity: 1_234 };
  await server.ask('POST', '/meter/consume', { token: tokens.northwindMeter, json: consumed });

  const away = await server.ask('GET', '/', { host, headers: browser });
  assert.deepEqual([away.status, away.headers.location], [303, '/sign-in']);
  const page = await server.ask('GET', '/sign-in', { host, headers: browser });
  assert.equal(page.status, 200);
  assert.ok(page.text.includes('<h1>&#60;b&#62;Globex&#60;/b&#62; &#38; &#34;Sons&#34;</h1>'));
  assert.match(page.headers['content-security-policy'] as string, /default-src 'none'/);

  const headers = { ...browser, origin: `http://${host}` };
  const wrong = await server.ask('POST', '/sign-in', { host, headers, form: { email: 'owner@globex.example', password: 'x' } });
  assert.equal(wrong.status, 401);
  assert.ok(wrong.text.includes('is not right') && wrong.text.includes('value="owner@globex.example"'));
  assert.ok(cookieOf(wrong) === undefined);

  const right = await server.ask('POST', '/sign-in', { host, headers, form: { email: 'owner@globex.example', password } });
  assert.deepEqual([right.status, right.headers.location], [303, '/']);
  const own = await server.ask('GET', '/', { host, headers: browser, cookie: cookieOf(right) });
  assert.equal(own.status, 200);
  assert.ok(own.text.includes('1,234 of 5,000') && own.text.includes('owner@globex.example'));
  assert.ok(!own.text.includes('<b>'));
});

test('a wrong form is told as such', async () => {
  const host = hostOf('acme');
  assert.deepEqual(code(await server.ask('POST', '/sign-in', { host, json: { email: 5, password } })), [400, 'bad_request']);
  assert.deepEqual(code(await server.ask('POST', '/sign-in', { host, json: {} })), [400, 'bad_request']);
  const page = await server.ask('POST', '/sign-in', { host, form: {} });
  assert.equal(page.status, 400);
  assert.match(page.headers['content-type']!, /^text\/html/);
});

test('a host that is nobody’s leads nowhere', async () => {
  for (const host of ['nobody.partner.localhost', 'partner.localhost', 'acme.example', '127.0.0.1', '']) {
    assert.equal((await server.ask('GET', '/sign-in', { host })).status, 404, host);
    const json = { email: 'owner@acme.example', password };
    assert.deepEqual(code(await server.ask('POST', '/sign-in', { host, json })), [404, 'not_found'], host);
  }
});

test('a right cookie at a wrong host is refused', async () => {
  await server.create(token, 'initech');
  await server.create(tokens.contoso, 'umbrella');
  const cookie = await server.signIn('initech');
  assert.equal((await me('initech', cookie)).status, 200);
  for (const other of ['acme', 'umbrella', 'nobody']) {
    assert.deepEqual(code(await me(other, cookie)), [401, 'access_denied'], other);
  }
  assert.equal((await server.ask('GET', '/me', { host: '', cookie })).status, 401);
  const password = await server.ask('POST', '/password', {
    host: hostOf('acme'),
    cookie,
    json: { current: 'x', password: otherPassword, passwordConfirmation: otherPassword },
  });
  assert.equal(password.status, 401);
  // And the reseller of another host cannot sign in here.
  const json = { email: 'owner@initech.example', password: 'whatever it is' };
  assert.equal((await server.ask('POST', '/sign-in', { host: hostOf('umbrella'), json })).status, 401);
});

test('a cookie that nobody gave is refused', async () => {
  const cookie = await server.signIn('acme');
  for (const wrong of [undefined, 'portal=', 'portal=nonsense', `${cookie}x`, cookie.slice(0, -1), cookie.replace('portal', 'other')]) {
    assert.deepEqual(code(await me('acme', wrong)), [401, 'access_denied'], wrong);
  }
});

test('switched off means: refused at once, with the cookie and with the password', async () => {
  const { id } = await server.create(token, 'hooli');
  const cookie = await server.signIn('hooli');
  assert.equal((await me('hooli', cookie)).status, 200);
  await server.ask('POST', `/agency/resellers/${id}/deactivate`, { token, json: { reason: 'nonpayment' } });

  const host = hostOf('hooli');
  const change = { current: password, password: otherPassword, passwordConfirmation: otherPassword };
  const refused = [
    await me('hooli', cookie),
    await server.ask('GET', '/', { host, cookie }),
    await server.ask('POST', '/password', { host, cookie, json: change }),
    await server.ask('POST', '/sign-out/everywhere', { host, cookie }),
    await server.ask('POST', '/sign-in', { host, json: { email: 'owner@hooli.example', password } }),
  ];
  assert.deepEqual(refused.map(code), refused.map(() => [401, 'access_denied']));
  const page = await server.ask('GET', '/', { host, cookie, headers: browser });
  assert.deepEqual([page.status, page.headers.location], [303, '/sign-in']);

  await server.ask('POST', `/agency/resellers/${id}/activate`, { token });
  assert.equal((await me('hooli', cookie)).status, 401, 'the old cookie stays refused');
  assert.equal((await me('hooli', await server.signIn('hooli'))).status, 200);
});

test('a changed password ends every cookie from before', async () => {
  await server.create(token, 'wayne');
  const host = hostOf('wayne');
  const [cookie, other] = [await server.signIn('wayne'), await server.signIn('wayne')];
  const change = (json: object) => server.ask('POST', '/password', { host, cookie, json });

  const wrong = await change({ current: 'x', password: otherPassword, passwordConfirmation: otherPassword });
  assert.deepEqual(code(wrong), [401, 'access_denied']);
  const weak = await change({ current: password, password: 'short', passwordConfirmation: 'shorter' });
  assert.equal(weak.status, 422);
  assert.deepEqual(weak.json.error.fields.map((error: any) => [error.field, error.code]), [
    ['password', 'too_short'],
    ['passwordConfirmation', 'mismatch'],
  ]);
  assert.equal((await me('wayne', cookie)).status, 200, 'nothing has changed so far');

  const changed = await change({ current: password, password: otherPassword, passwordConfirmation: otherPassword });
  assert.equal(changed.status, 204);
  for (const old of [cookie, other]) assert.equal((await me('wayne', old)).status, 401);
  await assert.rejects(server.signIn('wayne'), /access_denied/);
  assert.equal((await me('wayne', await server.signIn('wayne', otherPassword))).status, 200);

  const { changes } = (await server.ask('GET', '/agency/changes?limit=1000', { token })).json;
  const entry = changes.find(({ kind }: any) => kind === 'password_changed');
  assert.equal(entry.actor, `reseller:${entry.reseller}`);
});

test('a person changes the password on the own page', async () => {
  await server.create(token, 'tyrell');
  const host = hostOf('tyrell');
  const cookie = await server.signIn('tyrell');
  const change = (current: string, next: string) =>
    server.ask('POST', '/password', { host, cookie, form: { current, password: next, passwordConfirmation: next } });
  const wrong = await change('wrong', otherPassword);
  assert.equal(wrong.status, 401);
  assert.ok(wrong.text.includes('The current password is not right.'));
  const weak = await change(password, 'short');
  assert.equal(weak.status, 422);
  assert.ok(weak.text.includes('too short'));
  const changed = await change(password, otherPassword);
  assert.deepEqual([changed.status, changed.headers.location], [303, '/sign-in?changed']);
  const page = await server.ask('GET', changed.headers.location!, { host, headers: browser });
  assert.ok(page.text.includes('Your password is changed.'));
});

test('signing out clears the cookie, and everywhere ends all of them', async () => {
  await server.create(token, 'stark');
  const host = hostOf('stark');
  const [here, there] = [await server.signIn('stark'), await server.signIn('stark')];
  const out = await server.ask('POST', '/sign-out', { host, cookie: here });
  assert.equal(out.status, 204);
  assert.match(out.headers['set-cookie']![0]!, /^portal=;.*Expires=Thu, 01 Jan 1970/);
  assert.equal((await me('stark', there)).status, 200);
  const everywhere = await server.ask('POST', '/sign-out/everywhere', { host, cookie: here });
  assert.equal(everywhere.status, 204);
  for (const old of [here, there]) assert.equal((await me('stark', old)).status, 401);
});

test('a page of another reseller cannot send a form', async () => {
  const host = hostOf('acme');
  const cookie = await server.signIn('acme');
  for (const origin of [`http://${hostOf('globex')}`, 'https://elsewhere.example', 'null']) {
    for (const path of ['/sign-in', '/password', '/sign-out', '/sign-out/everywhere']) {
      const answer = await server.ask('POST', path, { host, cookie, headers: { origin }, json: {} });
      assert.deepEqual(code(answer), [403, 'foreign_origin'], `${origin} ${path}`);
    }
  }
  assert.equal((await me('acme', cookie)).status, 200);
});

test('a new login domain keeps the cookie’s stamp, at the new host only', async () => {
  const { id } = await server.create(token, 'oldname');
  const cookie = await server.signIn('oldname');
  const headers = { 'if-match': '"1"' };
  await server.ask('PUT', `/agency/resellers/${id}/login-domain`, { token, headers, json: { loginDomain: 'newname' } });
  assert.equal((await me('newname', cookie)).status, 200);
  assert.equal((await me('oldname', cookie)).status, 401);
});

test('whoever guesses has to wait, whatever the account, and others do not', async () => {
  const guesses = folder();
  const guessed = await Server.start(guesses.store, { PORTAL_TRUSTED_PROXY: '127.0.0.1' });
  try {
    await guessed.create(token, 'acme');
    const host = hostOf('acme');
    const guess = (from: string, secret: string, at = 0) =>
      guessed.ask('POST', '/sign-in', {
        host,
        headers: { 'x-forwarded-for': from },
        json: { email: at === 0 ? 'owner@acme.example' : `guess${at}@acme.example`, password: secret },
      });
    let answer = await guess('192.0.2.1', 'x', 1);
    for (let at = 2; answer.status === 401; at++) answer = await guess('192.0.2.1', 'x', at);
    assert.deepEqual(code(answer), [429, 'throttled']);
    assert.ok(Number(answer.headers['retry-after']) >= 1);
    assert.equal((await guess('192.0.2.1', password)).status, 429, 'also with the right password');
    assert.equal((await guess('192.0.2.2', password)).status, 200, 'but not from elsewhere');
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    const page = await guessed.ask('POST', '/sign-in', { host, headers, form: { email: 'a@b.example', password: 'x' } });
    assert.equal(page.status, 429);
    assert.ok(Number(page.headers['retry-after']) >= 1 && page.text.includes('Wait a little'));
  } finally {
    await guessed.stop();
    guesses.remove();
  }
});

test('what a proxy says is believed only of one that is trusted', async () => {
  const headers = { 'x-forwarded-host': hostOf('acme'), 'x-forwarded-proto': 'https' };
  const asked = { host: 'nobody.partner.localhost', headers, json: { email: 'owner@acme.example', password } };
  assert.equal((await server.ask('POST', '/sign-in', asked)).status, 404);
  const proxied = await Server.start(files.store, { PORTAL_TRUSTED_PROXY: '127.0.0.0/8' });
  try {
    const answer = await proxied.ask('POST', '/sign-in', asked);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['set-cookie']![0]!, /; Secure/);
  } finally {
    await proxied.stop();
  }
});
