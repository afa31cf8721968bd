// Closing a platform: by `close()`, by `await using`, with calls open, more than once.
'use strict';

const assert = require('node:assert/strict');
const { readlinkSync, readdirSync } = require('node:fs');
const { test } = require('node:test');

const ts = require('typescript');

const partnerkit = require('..');
const { close, draft, errorOf, numbered, opened, openedOnDisk, until } = require('./support');

const { ConfigurationError, Platform } = partnerkit;

/** The files of this process that are open in a folder; only Linux tells. */
function openFiles(folder) {
  const target = (handle) => {
    try {
      return readlinkSync(`/proc/self/fd/${handle}`);
    } catch {
      return '';
    }
  };
  return readdirSync('/proc/self/fd')
    .map(target)
    .filter((path) => path.startsWith(folder));
}

test('a closed platform refuses every later call, on every handle', async (t) => {
  const { url, platform, agency } = await openedOnDisk(t);
  const acting = agency.actingAs('somebody');
  const other = await platform.agency('northwind');
  const { id } = await agency.createReseller(draft());
  await platform.close();
  for (const call of [
    () => agency.reseller(id),
    () => acting.deactivate(id),
    () => other.page(),
    () => agency.search().next(),
    () => platform.agency('northwind'),
    () => platform.maintain(),
    () => platform.signIn({ loginDomain: 'acme', email: 'owner@acme.example', password: 'x' }),
  ]) {
    const error = await errorOf(call());
    assert.ok(error instanceof ConfigurationError, String(error?.stack));
    assert.match(error.message, /closed/);
  }
  // What needs no store still works.
  assert.equal(agency.id, 'northwind');
  assert.equal(platform.loginUrl('acme'), 'https://acme.partner.localhost');
  if (process.platform === 'linux') assert.deepEqual(openFiles(url.slice('sqlite:'.length)), []);
});

test('closing again does nothing, also at the same time', async (t) => {
  const { platform } = await openedOnDisk(t);
  await Promise.all(Array.from({ length: 20 }, () => platform.close()));
  await platform.close();
  await platform[Symbol.asyncDispose]();
});

test('calls that are open when a platform is closed end in one way or the other', async (t) => {
  const { url, platform, agency } = await openedOnDisk(t);
  const creates = Array.from({ length: 100 }, (_, n) => agency.createReseller(numbered(n)));
  const closing = platform.close();
  const outcomes = await Promise.allSettled(creates);
  await closing;
  const made = outcomes.filter(({ status }) => status === 'fulfilled').length;
  for (const { reason } of outcomes) assert.ok(!reason || reason instanceof ConfigurationError);
  const again = await Platform.open(url);
  t.after(() => again.close());
  const there = await (await again.agency('northwind')).overview();
  assert.equal(there.activeResellers, made, 'what was answered is there, and nothing else');
});

test("a transaction of a host's storage that is open when the platform is closed", async () => {
  const { store, platform, agency } = await opened({ deadline: 600_000 });
  const closed = close(store);
  const create = agency.createReseller(draft());
  await until(() => closed.waiting === 1);
  const closing = platform.close();
  closed.open();
  await closing;
  const outcome = await create.catch((error) => error);
  const rows = store.rows('resellers').length;
  if (outcome instanceof Error) assert.ok(outcome instanceof ConfigurationError);
  assert.equal(rows, outcome instanceof Error ? 0 : 1);
  assert.ok((await errorOf(agency.overview())) instanceof ConfigurationError);
});

test('a platform whose opening is aborted is closed by nobody, and disturbs nobody', async (t) => {
  const { url, platform } = await openedOnDisk(t);
  const controller = new AbortController();
  const opening = Array.from({ length: 20 }, () => Platform.open(url, {}, controller));
  controller.abort();
  for (const { status, reason } of await Promise.allSettled(opening)) {
    assert.ok(status === 'fulfilled' || reason.name === 'AbortError');
  }
  await platform.createAgency('contoso');
});

/** A program with `await using`, as TypeScript compiles it. */
const PROGRAM = `
export async function used(Platform: any, url: string, work: (platform: any) => Promise<unknown>) {
  await using platform = await Platform.open(url);
  return await work(platform);
}`;

test('`await using` closes a platform at the end of the block, also after an error', async (t) => {
  const { url } = await openedOnDisk(t);
  const { outputText } = ts.transpileModule(PROGRAM, {
    compilerOptions: { target: 'es2022', module: 'commonjs' },
  });
  const program = {};
  new Function('exports', outputText)(program);
  let kept;
  const ids = await program.used(
    Platform,
    url,
    (platform) => ((kept = platform), platform.agencies()),
  );
  assert.deepEqual(ids, ['northwind']);
  assert.ok((await errorOf(kept.agencies())) instanceof ConfigurationError);
  const thrown = new Error('in the block');
  const failing = program.used(Platform, url, (platform) => {
    kept = platform;
    throw thrown;
  });
  assert.equal(await errorOf(failing), thrown);
  assert.ok((await errorOf(kept.agencies())) instanceof ConfigurationError);
});

test('Symbol.asyncDispose closes, and answers nothing', async (t) => {
  const { platform } = await openedOnDisk(t);
  assert.equal(await platform[Symbol.asyncDispose](), undefined);
  assert.ok((await errorOf(platform.agencies())) instanceof ConfigurationError);
});

test('a hundred platforms on one file, opened and closed', async (t) => {
  const { url } = await openedOnDisk(t);
  const platforms = await Promise.all(Array.from({ length: 100 }, () => Platform.open(url)));
  const agencies = await Promise.all(platforms.map((platform) => platform.agency('northwind')));
  await Promise.all(agencies.map((agency, n) => agency.createReseller(numbered(n))));
  await Promise.all(platforms.slice(1).map((platform) => platform.close()));
  assert.equal((await agencies[0].overview()).activeResellers, 100);
  await platforms[0].close();
});
