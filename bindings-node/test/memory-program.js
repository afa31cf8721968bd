// Makes many calls of one kind and tells the memory of the process after each tenth of them:
// node --expose-gc memory-program.js KIND CALLS.
'use strict';

const { Platform } = require('..');
const { draft, numbered, opened } = require('./support');

const [kind, calls] = process.argv.slice(2);

/** How many calls are open at the same time. */
const AT_ONCE = 16;

async function inMemory() {
  const platform = await Platform.open('memory:');
  const agency = await platform.createAgency('northwind');
  const made = await agency.createResellers(Array.from({ length: 50 }, (_, n) => numbered(n)));
  return { platform, agency, id: made[0].id };
}

const KINDS = {
  async get() {
    const { agency, id } = await inMemory();
    return () => agency.reseller(id);
  },
  async page() {
    const { agency } = await inMemory();
    return () => agency.page({ limit: 25 });
  },
  async refused() {
    const { agency } = await inMemory();
    return () => agency.createReseller(draft({ name: '', loginDomain: 'Acme' })).catch(() => {});
  },
  async wrong() {
    const { agency } = await inMemory();
    return () => agency.reseller({}).catch(() => {});
  },
  async aborted() {
    const { agency, id } = await inMemory();
    const shared = new AbortController();
    return async () => {
      const controller = new AbortController();
      const call = agency.reseller(id, controller).catch(() => {});
      const other = agency.reseller(id, shared);
      controller.abort();
      await Promise.all([call, other]);
    };
  },
  async storage() {
    const { agency, store } = await opened();
    const { id } = await agency.createReseller(draft());
    // As fast as a storage can be, and it keeps nothing itself.
    const answer = ({ table, keys }) => (keys ?? [0]).map(() => store.rows(table.name)[0]);
    const transaction = { ask: async (questions) => questions.map(answer), async commit() {} };
    store.begin = async () => transaction;
    return () => agency.reseller(id);
  },
  async thrown() {
    const { agency, store } = await opened();
    store.begin = () => Promise.reject(new Error('thrown by the storage'));
    return () => agency.overview().catch(() => {});
  },
  async handles() {
    const { platform } = await inMemory();
    return async () => (await platform.agency('northwind')).actingAs('somebody');
  },
  async platforms() {
    let left = 0;
    // A platform costs far more than a call.
    return async () => {
      left += 1;
      if (left % 50 === 0) await (await Platform.open('memory:')).createAgency('northwind');
    };
  },
};

async function main() {
  const call = await KINDS[kind]();
  const tenth = Number(calls) / 10;
  for (let n = 0; n < 10; n += 1) {
    let begun = 0;
    const several = async () => {
      for (; begun < tenth;) {
        begun += 1;
        await call();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, several));
    // What finalizers free is freed in a later turn.
    for (let turn = 0; turn < 3; turn += 1) {
      globalThis.gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.stdout.write(`${process.memoryUsage.rss()}\n`);
  }
  process.exit(0);
}

void main();
