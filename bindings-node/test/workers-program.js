// Starts and stops worker threads that use the package, some of them in the middle of calls:
// node workers-program.js FOLDER CYCLES alone|beside. With `beside` this thread uses the package, too.
'use strict';

const { readlinkSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { setTimeout: wait } = require('node:timers/promises');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

/** What a worker has open when it is stopped. */
const WORK = {
  /** Nothing: it ends by itself. */
  async done({ Platform, numbered, url, number }) {
    const platform = await Platform.open(url);
    const agency = await platform.ensureAgency('northwind');
    const { id } = await agency.createReseller(numbered(number));
    parentPort.postMessage(await agency.reseller(id));
    await platform.close();
  },
  /** Nothing, but the platform stays open. */
  async left({ Platform, url }) {
    const platform = await Platform.open(url);
    parentPort.postMessage(await platform.agencies());
  },
  async writes({ Platform, numbered, url, number }) {
    const platform = await Platform.open(url);
    const agency = await platform.ensureAgency('northwind');
    const numbers = Array.from({ length: 50 }, (_, n) => 1_000 * number + n);
    const creates = numbers.map((n) => agency.createReseller(numbered(n)));
    parentPort.postMessage('busy');
    await Promise.all(creates);
  },
  async hashing({ Platform }) {
    const platform = await Platform.open('memory:', { hashing: { atOnce: 2, queue: 100 } });
    const guess = { loginDomain: 'acme', email: 'owner@acme.example', password: 'wrong' };
    const guesses = Array.from({ length: 10 }, () => platform.signIn(guess));
    parentPort.postMessage('busy');
    await Promise.allSettled(guesses);
  },
  async storage({ opened }) {
    const { agency, store } = await opened();
    const { begin } = store;
    let begun = 0;
    store.begin = (...args) => {
      begun += 1;
      if (begun === 10) parentPort.postMessage('busy');
      return begun < 10 ? begin.apply(store, args) : new Promise(() => {});
    };
    await Promise.all(Array.from({ length: 100 }, () => agency.overview()));
  },
  async clock({ Platform }) {
    let asked = 0;
    const clock = () => {
      asked += 1;
      if (asked === 10) parentPort.postMessage('busy');
      return new Date();
    };
    const platform = await Platform.open('memory:', { clock });
    for (let n = 0; ; n += 1) await platform.createAgency(`agency-${n}`);
  },
};

async function work() {
  const { kind, ...given } = workerData;
  const { Platform } = require('..');
  await WORK[kind]({ Platform, ...require('./support'), ...given });
}

/** Runs a worker until it has told something; one that is busy is stopped then. */
function cycle(kind, url, number) {
  const worker = new Worker(__filename, { workerData: { kind, url, number } });
  return new Promise((resolve, reject) => {
    let told;
    worker.on('message', (message) => {
      told = message;
      if (message === 'busy') void worker.terminate();
    });
    worker.on('error', reject);
    worker.on('exit', (code) => resolve({ told, code }));
  });
}

async function main(folder, cycles, how) {
  const url = `sqlite:${join(folder, 'resellers.db')}`;
  const beside = how === 'beside' ? await require('..').Platform.open(url) : undefined;
  const kinds = Object.keys(WORK);
  for (let number = 0; number < cycles; number += 1) {
    const kind = kinds[number % kinds.length];
    const [{ told, code }] = await Promise.all([cycle(kind, url, number), beside?.agencies()]);
    const stopped = told === 'busy';
    if (stopped !== !['done', 'left'].includes(kind)) throw new Error(`${kind} has told ${told}`);
    if (code !== (stopped ? 1 : 0)) throw new Error(`${kind} has ended with ${code}`);
    if (kind === 'done') check(told);
  }
  await beside?.close();
  await allClosed(folder);
  process.stdout.write('done\n');
}

/** Waits until the calls of stopped workers have ended and no file is open; only Linux tells. */
async function allClosed(folder) {
  if (process.platform !== 'linux') return;
  const path = (handle) => {
    try {
      return readlinkSync(`/proc/self/fd/${handle}`);
    } catch {
      return '';
    }
  };
  const open = () =>
    readdirSync('/proc/self/fd')
      .map(path)
      .filter((of) => of.startsWith(folder));
  for (let tries = 0; open().length > 0; tries += 1) {
    if (tries === 3_000) throw new Error(`still open: ${open().join(', ')}`);
    await wait(20);
  }
}

/** A record that came from another thread is what it was there. */
function check(record) {
  const { createdAt, agency, metadata } = record;
  if (!(createdAt instanceof Date) || agency !== 'northwind' || Object.keys(metadata).length > 0) {
    throw new Error(`a record has become ${JSON.stringify(record)}`);
  }
}

const [folder, cycles, how] = process.argv.slice(2);
(isMainThread ? main(folder, Number(cycles), how) : work()).catch((error) => {
  throw error;
});
