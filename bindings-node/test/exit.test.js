// How a process ends: by itself when no call is open, and cleanly with calls that are.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { availableParallelism } = require('node:os');
const { test } = require('node:test');

const { Platform } = require('..');
const { folder, ran } = require('./support');

const SAYS = {
  loads: '',
  memory: '',
  file: '',
  storage: '',
  call: 'northwind\n',
  hashing: 'access_denied\n',
  late: '0\n',
  never: 'storage\n',
  aborted: 'AbortError\n',
  cut: 'cut\n',
  search: 'acme\n',
};

for (const [what, stdout] of Object.entries(SAYS)) {
  test(`a program ends by itself: ${what}`, async (t) => {
    const ended = await ran('waits-program.js', [what, join(folder(t), 'resellers.db')]);
    assert.deepEqual(ended, { stdout, stderr: '', code: 0, signal: null });
  });
}

/** How a process ends in each way, and what Node.js itself says of it. */
const WAYS = {
  exit: { code: 7, signal: null },
  throw: { code: 1, signal: null, says: 'Error: on purpose' },
  reject: { code: 1, signal: null, says: 'Error: on purpose' },
  kill: { code: null, signal: 'SIGTERM' },
  handler: { code: 9, signal: null },
};
const WORK = ['writes', 'hashing', 'storage', 'clock'];
const ROUNDS = 10;

/** Opens the file and reads all of it. The numbers that are kept are those of the rows. */
async function verified(file) {
  const platform = await Platform.open(`sqlite:${file}`);
  const agency = await platform.ensureAgency('northwind');
  let count = 0;
  for await (const { id } of agency.search({ limit: 200 })) {
    assert.ok(id);
    count += 1;
  }
  assert.equal((await agency.overview()).activeResellers, count);
  await platform.backup(`${file}-copy`);
  await platform.close();
  return count;
}

/** What SQLite's own program says of a file, where there is one. */
function integrity(file) {
  try {
    return execFileSync('sqlite3', [file, 'PRAGMA integrity_check'], { encoding: 'utf8' }).trim();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return 'ok';
  }
}

/** The exits, each with its own moment. */
const exits = Array.from({ length: ROUNDS }, (_, round) =>
  WORK.flatMap((work) => Object.keys(WAYS).map((way) => ({ way, work, millis: round ** 2 }))),
).flat();

test(`${exits.length} exits with calls open are clean`, async (t) => {
  const file = join(folder(t), 'resellers.db');
  const waiting = [...exits];
  const runs = async () => {
    for (let exit = waiting.pop(); exit !== undefined; exit = waiting.pop()) {
      const { way, work, millis } = exit;
      const { code, signal, stdout, stderr } = await ran('exit-program.js', [
        way,
        work,
        file,
        millis,
      ]);
      const what = `${way} during ${work} after ${millis} ms: ${stderr}`;
      const { says, ...expected } = WAYS[way];
      assert.deepEqual({ code, signal, stdout }, { ...expected, stdout: '' }, what);
      if (says === undefined) assert.equal(stderr, '', what);
      else
        assert.ok(stderr.includes(says) && !/panick|abort|terminat|partnerkit'/.test(stderr), what);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runs));
  const count = await verified(file);
  assert.ok(count > 0, 'something was written');
  t.diagnostic(`${count} resellers were written`);
  assert.equal(integrity(file), 'ok');
  assert.equal(await verified(`${file}-copy`), count);
});
