// One contender in a process of its own, so that the threads and the garbage of the others do not slow it
// down: node contender.mjs NAME FILE. It does what it is sent, and answers with the time that it took.
import { byHand, byHandWithSums } from './by-hand.mjs';
import { overDrizzle } from './drizzle.mjs';
import { ours } from './ours.mjs';
import { overPrisma } from './over-prisma.mjs';
import { EVENTS, RESELLERS, events, form } from './work.mjs';

const BATCH = 1_000;
const [, , name, file, began] = process.argv;
const at = new Date(Number(began));
const open = { ours, byHand, byHandWithSums, overDrizzle, overPrisma }[name];
const it = { ...(await open(file)), ids: [], events: 0, created: RESELLERS };

function ingest() {
  it.events += BATCH;
  return it.ingest(events(it.ids, it.events - BATCH, BATCH, at));
}

/** What is measured: one step of it. */
const STEPS = {
  'create, durable': () => it.create(form(it.created++), Date.now()),
  'get by id': (i) => it.get(it.ids[(i * 7919) % it.ids.length]),
  'first page of 25': () => it.list(),
  'page at depth, by name': () => it.deep('Stark'),
  'search, 10 % of rows': () => it.search('globex'),
  'search, 0.1 % of rows': () => it.search('owner77'),
  'search, in no row': () => it.search('zzzqq'),
  'ingest of 1,000 events': ingest,
  overview: () => it.overview(),
};

/** Creates the resellers and records the events; microseconds for a reseller. */
async function fill() {
  const forms = Array.from({ length: RESELLERS }, (_, n) => form(n));
  const since = performance.now();
  for (let i = 0; i < forms.length; i += 1_000) {
    it.ids.push(...(await it.fill(forms.slice(i, i + 1_000), at.getTime() + i)));
  }
  const filled = ((performance.now() - since) / forms.length) * 1_000;
  while (it.events < EVENTS) await ingest();
  return filled;
}

/** Does a step so many times; microseconds for one. */
async function measured(what, first, times) {
  const step = STEPS[what];
  const since = performance.now();
  for (let i = 0; i < times; i += 1) await step(first + i);
  return ((performance.now() - since) / times) * 1_000;
}

process.on('message', async ({ what, first, times }) => {
  if (what === 'close') {
    await it.close();
    process.disconnect();
  } else {
    process.send(await (what === 'fill' ? fill() : measured(what, first, times)));
  }
});
process.send(it.name);
