// The library against what one would write instead, on the same work, in one run: better-sqlite3 by
// hand, the same with sums, Drizzle and Prisma. Each has a process of its own, and they take turns.
// Prints medians in microseconds, and how many times as long each of the others takes as the library.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const CONTENDER = fileURLToPath(new URL('contender.mjs', import.meta.url));

/** What is measured, and how often in a round: often enough that caches are warm for most of it. */
const WORK = {
  'create, durable': 50,
  'get by id': 3_000,
  'first page of 25': 500,
  'page at depth, by name': 500,
  'search, 10 % of rows': 200,
  'search, 0.1 % of rows': 20,
  'search, in no row': 20,
  'ingest of 1,000 events': 3,
  overview: 20,
};

const folder = mkdtempSync(join(process.env.FOLDER ?? tmpdir(), 'partnerkit-bench-'));
const began = Date.now() - 86_400_000;
const contenders = [];
for (const name of ['ours', 'byHand', 'byHandWithSums', 'overDrizzle', 'overPrisma']) {
  const child = fork(CONTENDER, [name, join(folder, `${name}.db`), began]);
  child.once('exit', (code) => code === 0 || process.exit(1)); // it has said why
  const [told] = await once(child, 'message');
  contenders.push({ name: told, child });
}

/** Sends work to a contender, and waits for its answer. */
async function asked({ child }, what, first = 0, times = 0) {
  child.send({ what, first, times });
  return (await once(child, 'message'))[0];
}

const rows = [];
const filled = [];
for (const it of contenders) filled.push(await asked(it, 'fill'));
rows.push(['fill, a row', ...filled]);
for (const [what, times] of Object.entries(WORK)) {
  const measured = contenders.map(() => []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [place, it] of contenders.entries()) {
      const micros = await asked(it, what, round * times, times);
      // The first round warms up.
      if (round > 0) measured[place].push(micros);
    }
  }
  rows.push([what, ...measured.map((all) => all.sort((a, b) => a - b)[ROUNDS >> 1])]);
}

const number = (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
console.log(`| µs | ${contenders.map(({ name }) => name).join(' | ')} |`);
console.log(`|---|${contenders.map(() => '---|').join('')}`);
for (const [name, own, ...others] of rows) {
  const told = others.map((value) => `${number(value)} (${(value / own).toFixed(1)} x)`);
  console.log(`| ${name} | ${number(own)} | ${told.join(' | ')} |`);
}
for (const { child } of contenders) {
  child.send({ what: 'close' });
  await once(child, 'exit');
}
rmSync(folder, { recursive: true });
