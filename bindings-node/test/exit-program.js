// Ends in one of several ways while calls are open: node exit-program.js WAY WORK FILE MILLISECONDS.
'use strict';

const { Platform } = require('..');
const { numbered, opened } = require('./support');

const [way, work, file, millis] = process.argv.slice(2);

const password = 'plain teal walrus 94 umbrella';
const withPassword = { invite: false, password, passwordConfirmation: password };

/** A label that no other process has. */
const unique = (n) => 10_000_000 + 1_000 * (process.pid % 100_000) + n;

/** Calls that are open. What becomes of them is nobody's concern. */
const WORK = {
  async writes() {
    const agency = await (await Platform.open(`sqlite:${file}`)).ensureAgency('northwind');
    return Array.from({ length: 200 }, (_, n) => agency.createReseller(numbered(unique(n))));
  },
  async hashing() {
    const agency = await (await Platform.open(`sqlite:${file}`)).ensureAgency('northwind');
    const create = (_, n) => agency.createReseller(numbered(unique(n), withPassword));
    return Array.from({ length: 20 }, create);
  },
  async storage() {
    const { agency, store } = await opened();
    const { begin } = store;
    let begun = 0;
    store.begin = (...args) => {
      begun += 1;
      return begun % 2 === 0 ? new Promise(() => {}) : begin.apply(store, args);
    };
    return Array.from({ length: 100 }, (_, n) => agency.createReseller(numbered(n)));
  },
  async clock() {
    process.removeAllListeners('warning'); // that the clock tells no time is said elsewhere
    let asked = 0;
    const clock = () => ((asked += 1) < 10 ? new Date() : new Promise(() => {}));
    const platform = await Platform.open('memory:', { clock });
    return Array.from({ length: 100 }, (_, n) => platform.createAgency(`agency-${n}`));
  },
};

const WAYS = {
  exit: () => process.exit(7),
  throw() {
    throw new Error('on purpose');
  },
  reject: () => void Promise.reject(new Error('on purpose')),
  kill: () => process.kill(process.pid, 'SIGTERM'),
  handler() {
    process.once('SIGTERM', () => process.exit(9));
    setInterval(() => {}, 1_000); // until the signal arrives
    process.kill(process.pid, 'SIGTERM');
  },
};

async function main() {
  const calls = await WORK[work]();
  for (const call of calls) call.catch(() => {});
  setTimeout(WAYS[way], Number(millis));
}

void main();
