/** How the server starts, waits, and ends. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { csvHead, csvRow, environment, folder, hostOf, main, password, Server, tokens } from './world.js';

const token: string = tokens.northwind;
const folders: ReturnType<typeof folder>[] = [];
const store = () => {
  const made = folder();
  folders.push(made);
  return made.store;
};
after(() => folders.forEach((made) => made.remove()));

test('a restart with the same file changes nothing', async () => {
  const file = store();
  const first = await Server.start(file);
  const { id } = await first.create(token, 'acme');
  const switchedOff = await first.create(token, 'globex');
  await first.ask('POST', `/agency/resellers/${switchedOff.id}/deactivate`, { token });
  await first.ask('PUT', `/agency/resellers/${id}/allowances/messages`, { token, json: { limit: 5 } });
  const consumed = { id: 'c-1', reseller: id, metric: 'messages', quantity: 4 };
  await first.ask('POST', '/meter/consume', { token: tokens.northwindMeter, json: consumed });
  const cookie = await first.signIn('acme');
  assert.deepEqual(await first.stop(), [0, null]);

  const second = await Server.start(file);
  const own = await second.ask('GET', '/me', { host: hostOf('acme'), cookie });
  assert.equal(own.status, 200, 'the cookie is still right');
  assert.deepEqual([own.json.usage[0].used, own.json.usage[0].limit], ['4', '5']);
  const again = await second.ask('POST', '/meter/consume', { token: tokens.northwindMeter, json: consumed });
  assert.deepEqual([again.status, again.json.duplicate], [200, true]);
  await assert.rejects(second.signIn('globex'), /access_denied/);
  assert.deepEqual(await second.stop(), [0, null]);
});

test('two servers share a file, and switching off in one is seen by the other', async () => {
  const file = store();
  const [one, two] = [await Server.start(file), await Server.start(file)];
  const { id } = await one.create(token, 'acme');
  const cookie = await two.signIn('acme');
  assert.equal((await two.ask('GET', '/me', { host: hostOf('acme'), cookie })).status, 200);
  await one.ask('POST', `/agency/resellers/${id}/deactivate`, { token });
  assert.equal((await two.ask('GET', '/me', { host: hostOf('acme'), cookie })).status, 401);
  assert.deepEqual([await one.stop(), await two.stop()], [[0, null], [0, null]]);
});

test('a server that is told to end finishes what it has begun', async () => {
  const server = await Server.start(store());
  const socket = connect(server.port, '127.0.0.1');
  const send = (text: string) => socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  socket.write(
    'POST /agency/resellers/import HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/csv\r\n' +
      `authorization: Bearer ${token}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  send(csvHead + csvRow('acme'));
  await server.logged(({ msg }) => msg === 'incoming request');
  server.tell('SIGTERM');
  await server.logged(({ msg }) => msg === 'closing');
  send(csvRow('globex'));
  socket.write('0\r\n\r\n');
  let answer = '';
  for await (const part of socket) answer += String(part);
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.ok(answer.includes('{"report":{"created":2,"existing":0,"rejected":0}}'), answer);
  assert.deepEqual(await server.ended(), [0, null]);
  await assert.rejects(server.ask('GET', '/agency/overview', { token }), /ECONNREFUSED/);
});

test('a request that was broken off is not waited for, and is no failure', async () => {
  const server = await Server.start(store());
  await server.create(token, 'acme');
  // Each costs a password hash, so most of them are not answered when they break off.
  const many = 40;
  const body = JSON.stringify({ email: 'owner@acme.example', password });
  const sockets = Array.from({ length: many }, () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `POST /sign-in HTTP/1.1\r\nhost: ${hostOf('acme')}\r\ncontent-type: application/json\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  });
  // One request was there before.
  await server.logged(({ msg }) => msg === 'incoming request', 1 + many);
  for (const socket of sockets) socket.destroy();
  // The server is as good as new.
  const cookie = await server.signIn('acme');
  assert.equal((await server.ask('GET', '/me', { host: hostOf('acme'), cookie })).status, 200);
  assert.ok(server.lines.some(({ msg }) => msg === 'the client went away'));
  assert.ok(!server.lines.some(({ msg }) => msg === 'a request failed'), 'none of them is a failure');
  assert.deepEqual(await server.stop(), [0, null]);
});

test('the store is tidied up again and again', async () => {
  const server = await Server.start(store(), { PORTAL_UPKEEP_SECONDS: '1' });
  const isUpkeep = ({ msg, operation, outcome }: { [name: string]: unknown }) =>
    msg === 'partnerkit' && operation === 'maintain' && outcome === 'ok';
  await server.logged(isUpkeep, 3);
  assert.deepEqual(await server.stop(), [0, null]);
});

test('the log names no secret and nobody', async () => {
  const server = await Server.start(store());
  await server.create(token, 'acme');
  const cookie = await server.signIn('acme');
  await server.ask('GET', '/me', { host: hostOf('acme'), cookie });
  await server.stop();
  const log = JSON.stringify(server.lines);
  for (const secret of [token, password, cookie.slice('portal='.length), 'owner@acme.example', 'Télécom']) {
    assert.ok(!log.includes(secret), secret);
  }
});

test('settings that cannot work end the program, and say which', () => {
  const run = (more: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [main], { env: { ...process.env, ...environment, ...more }, encoding: 'utf8' });
  for (const [name, value] of [
    ['PORTAL_STAFF_TOKENS', undefined],
    ['PORTAL_STAFF_TOKENS', 'northwind=short'],
    ['PORTAL_STAFF_TOKENS', 'northwind=the-same-token-twice,contoso=the-same-token-twice'],
    ['PORTAL_METER_TOKENS', 'northwind'],
    ['PORTAL_PORT', 'http'],
    ['PORTAL_UPKEEP_SECONDS', '0'],
  ] as const) {
    const { status, stderr } = run({ [name]: value });
    assert.ok(status !== 0 && stderr.includes(name), `${name}=${value}: ${status} ${stderr}`);
  }
  const { status, stderr } = run({ PORTAL_STORE: 'sqlite:/nowhere/at/all/portal.db' });
  assert.ok(status !== 0 && stderr.includes('StorageError'), stderr);
});
