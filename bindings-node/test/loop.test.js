// Neither the event loop nor libuv's threads wait for a storage.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { pbkdf2 } = require('node:crypto');
const dns = require('node:dns/promises');
const fs = require('node:fs/promises');
const { openSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { test } = require('node:test');
const { setTimeout: wait } = require('node:timers/promises');
const { promisify } = require('node:util');
const v8 = require('node:v8');
const vm = require('node:vm');

const { THREADS, close, folder, numbered, opened, openedOnDisk, until } = require('./support');

const IS_LINUX = process.platform === 'linux';

/** How often the event loop turns until the work has ended. */
async function turnsDuring(work) {
  let turns = 0;
  let goesOn = true;
  const turn = () => {
    turns += 1;
    if (goesOn) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  goesOn = false;
  return turns;
}

/** Begins 500 calls on a SQLite file, and says how the event loop turned until the last has ended. */
async function fiveHundred(t) {
  const { agency } = await openedOnDisk(t);
  const there = await agency.createResellers(Array.from({ length: 100 }, (_, n) => numbered(n)));
  const calls = [
    (n) => agency.createReseller(numbered(1_000 + n)),
    () => agency.page({ limit: 25 }),
    (n) => agency.reseller(there[n % there.length].id),
  ];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let results;
  delay.enable();
  await wait(20); // until it measures
  const turns = await turnsDuring(async () => {
    results = await Promise.all(Array.from({ length: 500 }, (_, n) => calls[n % 3](n)));
  });
  await wait(5); // the delay until then is measured at the next turn
  delay.disable();
  assert.equal(results.length, 500);
  assert.equal((await agency.overview()).activeResellers, 267);
  return { turns, delay };
}

test('500 calls at once on a SQLite file', async (t) => {
  const { turns, delay } = await fiveHundred(t);
  const millis = (nanoseconds) => (nanoseconds / 1e6).toFixed(1);
  t.diagnostic(
    `event-loop delay in ms: p99 ${millis(delay.percentile(99))}, most ${millis(delay.max)}`,
  );
  t.diagnostic(`${turns} turns`);
});

test('the results of 500 calls come in several turns of the event loop', async (t) => {
  const { agency } = await openedOnDisk(t);
  await agency.createResellers(Array.from({ length: 200 }, (_, n) => numbered(n)));
  // 100,000 records, which take far longer than one turn may.
  const pages = () => Array.from({ length: 500 }, () => agency.page({ limit: 200 }));
  const turns = await turnsDuring(() => Promise.all(pages()));
  assert.ok(turns > 10, `${turns} turns`);
});

test("libuv's threads are free while all of ours wait for a storage", async () => {
  const { agency, store } = await opened({ deadline: 600_000 });
  const closed = close(store);
  const calls = Array.from({ length: THREADS + 8 }, () => agency.overview());
  await until(() => closed.waiting === THREADS);
  const work = Array.from({ length: 16 }, () => [
    fs.readFile(__filename),
    dns.lookup('localhost'),
    promisify(pbkdf2)('password', 'salt', 1_000, 32, 'sha256'),
  ]);
  await Promise.all(work.flat());
  assert.equal(closed.waiting, THREADS, 'no call has ended meanwhile');
  closed.open();
  await Promise.all(calls);
});

test('a storage that hangs stops no call of another platform', async (t) => {
  const { agency, store } = await opened({ deadline: 600_000 });
  const closed = close(store);
  const calls = Array.from({ length: THREADS + 8 }, () => agency.overview());
  await until(() => closed.waiting === THREADS);
  for (const other of [await opened(), await openedOnDisk(t)]) {
    await other.agency.createReseller(numbered(1));
    assert.equal((await other.agency.overview()).activeResellers, 1);
  }
  assert.equal(closed.waiting, THREADS, 'no call has ended meanwhile');
  closed.open();
  await Promise.all(calls);
});

test('the threads of a storage end with its last handle', { skip: !IS_LINUX }, async () => {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc');
  const counts = [];
  for (let n = 0; n < 200; n += 1) {
    const { platform } = await opened();
    await platform.close();
    if (n % 10 === 0) collect();
    counts.push(readdirSync('/proc/self/task').length);
  }
  assert.ok(Math.max(...counts) < counts[0] + 100, `${counts[0]}, then ${Math.max(...counts)}`);
});

test('what has no password to hash takes no thread of those that hash', async (t) => {
  const password = 'plain teal walrus 94 umbrella';
  const passwords = { invite: false, password, passwordConfirmation: password };
  const { agency, store } = await opened({ deadline: 600_000 });
  const closed = close(store);
  t.after(() => closed.open());
  const invited = Array.from({ length: THREADS + 8 }, (_, n) => agency.createReseller(numbered(n)));
  await until(() => closed.waiting >= THREADS);
  const other = await opened();
  await other.agency.createReseller(numbered(1, passwords));
  assert.equal(closed.waiting, THREADS, 'eight wait for a thread');
  const hashing = agency.createReseller(numbered(100, passwords));
  await until(() => closed.waiting === THREADS + 1);
  closed.open();
  await Promise.all([...invited, hashing]);
});

test("calls end while all of libuv's threads wait", async (t) => {
  const { agency } = await openedOnDisk(t);
  const at = folder(t);
  const pipes = Array.from({ length: 4 }, (_, n) => join(at, `pipe-${n}`));
  execFileSync('mkfifo', pipes);
  // Opening a pipe for reading waits until somebody writes to it.
  let opened = 0;
  const opening = pipes.map((pipe) =>
    fs.open(pipe, 'r').then((file) => ((opened += 1), file.close())),
  );
  const { id } = await agency.createReseller(numbered(1));
  assert.equal((await agency.reseller(id)).id, id);
  assert.equal(opened, 0, "libuv's threads still wait");
  for (const pipe of pipes) openSync(pipe, 'r+');
  await Promise.all(opening);
});
