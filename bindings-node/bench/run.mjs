// The library against what one would write instead, on the same work, in one run: better-sqlite3 by
// hand, Drizzle and Prisma. Prints medians in microseconds, and how many times as long each of the
// others takes as the library.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { byHand } from './by-hand.mjs';
import { overDrizzle } from './drizzle.mjs';
import { ours } from './ours.mjs';
import { overPrisma } from './over-prisma.mjs';
import { EVENTS, RESELLERS, events, form } from './work.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const BATCH = 1_000;
const folder = mkdtempSync(join(process.env.FOLDER ?? tmpdir(), 'partnerkit-bench-'));
const contenders = [];
for (const open of [ours, byHand, overDrizzle, overPrisma]) {
  contenders.push(await open(join(folder, `${open.name}.db`)));
}

const began = Date.now() - 86_400_000;
const forms = Array.from({ length: RESELLERS }, (_, n) => form(n));
const filled = [];
for (const it of contenders) {
  it.ids = [];
  const since = performance.now();
  for (let i = 0; i < forms.length; i += 1_000) {
    it.ids.push(...(await it.fill(forms.slice(i, i + 1_000), began + i)));
  }
  filled.push(((performance.now() - since) / forms.length) * 1_000);
  it.events = 0;
  it.created = RESELLERS;
}
for (const it of contenders) {
  while (it.events < EVENTS) {
    await it.ingest(events(it.ids, it.events, BATCH, new Date(began)));
    it.events += BATCH;
  }
}

/** What is measured: how often in a round, and one step of it. */
const WORK = {
  'create, durable': [50, (it) => it.create(form(it.created++), Date.now())],
  'get by id': [500, (it, i) => it.get(it.ids[(i * 7919) % it.ids.length])],
  'first page of 25': [100, (it) => it.list()],
  'page at depth, by name': [50, (it) => it.deep('Stark')],
  'search, 10 % of rows': [20, (it) => it.search('globex')],
  'search, 0.1 % of rows': [20, (it) => it.search('owner77')],
  'search, in no row': [20, (it) => it.search('zzzqq')],
  'ingest of 1,000 events': [
    3,
    (it) => {
      it.events += BATCH;
      return it.ingest(events(it.ids, it.events - BATCH, BATCH, new Date(began)));
    },
  ],
  overview: [20, (it) => it.overview()],
};

const rows = [['fill, a row', ...filled]];
for (const [name, [times, step]] of Object.entries(WORK)) {
  const measured = contenders.map(() => []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [place, it] of contenders.entries()) {
      const since = performance.now();
      for (let i = 0; i < times; i += 1) await step(it, round * times + i);
      // The first round warms up.
      if (round > 0) measured[place].push(((performance.now() - since) / times) * 1_000);
    }
  }
  rows.push([name, ...measured.map((all) => all.sort((a, b) => a - b)[ROUNDS >> 1])]);
}

const number = (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
console.log(`| µs | ${contenders.map(({ name }) => name).join(' | ')} |`);
console.log(`|---|${contenders.map(() => '---|').join('')}`);
for (const [name, own, ...others] of rows) {
  const told = others.map((value) => `${number(value)} (${(value / own).toFixed(1)} x)`);
  console.log(`| ${name} | ${number(own)} | ${told.join(' | ')} |`);
}
for (const it of contenders) await it.close();
rmSync(folder, { recursive: true });
