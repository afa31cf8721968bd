/** CSV in and out. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { csvHead, csvRow, folder, label, linesOf, Server, tokens } from './world.js';

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

const upload = (csv: string | Readable, query = '', by = token) =>
  server.ask('POST', `/agency/resellers/import${query}`, { token: by, csv });
const total = async (text: string) =>
  (await server.ask('GET', `/agency/resellers?text=${text}&total=true&limit=1`, { token })).json.total.count;

test('every row of a file has its answer', async () => {
  const csv = [csvHead, csvRow('acme'), csvRow('Globex'), csvRow('initech'), 'commission,Short\n'].join('');
  const answer = await upload(csv);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/x-ndjson');
  const lines = linesOf(answer);
  assert.deepEqual(lines.pop(), { report: { created: 2, existing: 0, rejected: 2 } });
  assert.deepEqual(lines.map(({ line, kind }) => [line, kind]), [
    [2, 'created'],
    [3, 'rejected'],
    [4, 'created'],
    [5, 'rejected'],
  ]);
  assert.deepEqual(lines[1].errors.map((error: any) => [error.field, error.code]), [['login_domain', 'uppercase']]);
  assert.ok(lines[1].errors[0].message.length > 0);
  assert.equal(lines[1].reseller, null);
  // The same file again creates nothing.
  const again = linesOf(await upload(csv));
  assert.deepEqual(again.pop(), { report: { created: 0, existing: 2, rejected: 2 } });
  assert.equal(again[0].reseller, lines[0].reseller);
});

test('a dry run says what would be, and a delimiter may be another', async () => {
  const csv = (csvHead + csvRow('umbrella')).replaceAll(',', ';');
  const dry = linesOf(await upload(csv, '?dryRun=true&delimiter=;'));
  assert.deepEqual(dry.pop(), { report: { created: 1, existing: 0, rejected: 0 } });
  assert.equal(await total('umbrella'), 0);
  assert.deepEqual(linesOf(await upload(csv, '?delimiter=;')).pop().report.created, 1);
  assert.equal(await total('umbrella'), 1);
});

test('a file that is wrong as a whole is an error like any other', async () => {
  // The last one is refused long before all of it is sent, and the refusal still arrives.
  const large = Readable.from(['bad\n', ...Array(2_000).fill(`${'x'.repeat(1_000)}\n`)]);
  const headers = { connection: 'keep-alive' };
  for (const csv of ['nonsense,name\n1,2\n', '', large]) {
    const answer = await server.ask('POST', '/agency/resellers/import', { token, headers, csv });
    assert.deepEqual([answer.status, answer.json.error.code], [422, 'validation']);
    assert.ok(answer.json.error.fields.some((error: any) => error.field === 'login_domain' && error.code === 'empty'));
  }
  assert.equal((await upload(csvHead, '?delimiter=;;')).status, 400);
  assert.equal((await upload(csvHead, '?delimiter=%22')).status, 422);
  assert.equal((await upload(csvHead, '?delimeter=;')).status, 400);
});

test('only CSV is taken', async () => {
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
    const headers = { 'content-type': type };
    const answer = await server.ask('POST', '/agency/resellers/import', { token, headers, csv: csvHead });
    assert.equal(answer.status, 415, type);
  }
});

test('a file is exported, filtered, and can be imported elsewhere', async () => {
  await server.create(token, 'exported', { name: 'Zoë "Z", Ltd' });
  const answer = await server.ask('GET', '/agency/resellers/export?text=zoe', { token });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8');
  assert.match(answer.headers['content-disposition']!, /^attachment; filename=/);
  assert.equal(answer.text.trimEnd().split('\n').length, 2);
  assert.ok(answer.text.includes('"Zoë ""Z"", Ltd"'));

  const rows = linesOf(await upload(answer.text));
  assert.deepEqual(rows.map((row) => row.kind ?? row.report), ['existing', { created: 0, existing: 1, rejected: 0 }]);
  const elsewhere = linesOf(await upload(answer.text.replaceAll('exported', 'imported'), '', tokens.contoso));
  assert.deepEqual(elsewhere.map((row) => row.errors ?? row.report.created), [[], 1]);
});

test('an export that is refused is no file', async () => {
  const answer = await server.ask('GET', '/agency/resellers/export?status=asleep', { token });
  assert.deepEqual([answer.status, answer.json.error.fields[0].field], [422, 'status']);
  assert.equal(answer.headers['content-disposition'], undefined);
  assert.equal((await server.ask('GET', '/agency/resellers/export?limt=5', { token })).status, 400);
});

test('an upload that breaks off ends, and what was answered stays', async () => {
  const socket = connect(server.port, '127.0.0.1');
  const send = (text: string) => socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  socket.write(
    'POST /agency/resellers/import HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n' +
      `authorization: Bearer ${token}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  send(csvHead);
  // The file has no end, so this request can end in no other way than by breaking off.
  let read = '';
  let next = 0;
  for (const more of [true, false]) {
    for (const last = next + 2_000; next < last; next++) send(csvRow(label(next)));
    if (more) for await (const part of socket.iterator({ destroyOnReturn: false })) if ((read += String(part)).includes('"created"')) break;
  }
  socket.destroy();
  await server.logged(({ msg }) => msg === 'the client went away');
  const created = await total('zq');
  assert.ok(created >= 1 && created < next, `${created} of ${next}`);
  // Whatever it had answered is there, and the rest can be sent again.
  const rest = await upload(csvHead + Array.from({ length: next }, (_, at) => csvRow(label(at))).join(''));
  assert.deepEqual(linesOf(rest).pop(), { report: { created: next - created, existing: created, rejected: 0 } });
});

test('an export that nobody reads to its end ends', async () => {
  // More than the buffers between the two processes hold.
  const notes = Array.from({ length: 40 }, (_, at) => `""note${at}"":""${'x'.repeat(400)}""`);
  const wide = `"{${notes.join(',')}}"`;
  const rows = Array.from({ length: 700 }, (_, at) => csvRow(`wide${label(at)}`, wide));
  const { report } = linesOf(await upload(Readable.from([csvHead, ...rows]))).pop();
  assert.deepEqual(report, { created: 700, existing: 0, rejected: 0 });

  const headers = { authorization: `Bearer ${token}` };
  const asked = httpRequest({ host: '127.0.0.1', port: server.port, path: '/agency/resellers/export', headers, agent: false });
  await new Promise<void>((resolve, reject) => {
    asked.on('error', reject).on('response', (response) => {
      response.once('data', () => {
        response.destroy();
        resolve();
      });
    });
    asked.end();
  });
  await server.logged(({ msg, operation, outcome }) => msg === 'partnerkit' && operation === 'export_csv' && outcome !== 'ok');
});
