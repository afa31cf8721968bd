// What the tests share.
'use strict';

const { spawn } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const { Platform } = require('..');
const { AsyncMemoryStore } = require('./async-memory-store');

/** A platform with one agency on a storage of its own. */
async function opened(options = {}, store = new AsyncMemoryStore()) {
  const platform = await Platform.withStorage(store, options);
  return { store, platform, agency: await platform.createAgency('northwind') };
}

/** The form of an invited reseller. */
function draft(changed = {}) {
  return {
    partnerType: 'own_plans',
    name: 'Acme Télécom',
    email: 'owner@acme.example',
    phone: { country: 'US', number: '(415) 555-2671' },
    invite: true,
    contact: { name: 'Ann Lee', email: 'ann@acme.example', phone: { number: '+49 30 901820' } },
    loginDomain: 'acme',
    ...changed,
  };
}

/** A label of letters for a number, each number another. */
function letters(number) {
  const [rest, place] = [Math.floor(number / 26), number % 26];
  return (rest > 0 ? letters(rest - 1) : '') + String.fromCharCode(97 + place);
}

/** The form of an invited reseller, one for each number. */
function numbered(number, changed = {}) {
  const label = `x${letters(number)}`;
  return draft({ loginDomain: label, email: `owner@${label}.example`, ...changed });
}

/** A folder that is removed when the test has ended. */
function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'partnerkit-node-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A platform on a SQLite file of its own, with one agency. */
async function openedOnDisk(t, settings = {}) {
  const url = `sqlite:${join(folder(t), 'resellers.db')}`;
  const platform = await Platform.open(url, settings);
  t.after(() => platform.close());
  return { url, platform, agency: await platform.createAgency('northwind') };
}

/** A promise with what settles it. */
function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...settle };
}

/** Lets no transaction of a storage begin until it is opened, and counts those that would. */
function close(store) {
  const gate = deferred();
  const begin = store.begin.bind(store);
  const closed = { waiting: 0, open: () => gate.resolve(delete store.begin) };
  store.begin = async (...args) => {
    closed.waiting += 1;
    await gate.promise;
    return begin(...args);
  };
  return closed;
}

/** Lets the event loop turn until something holds. */
async function until(holds) {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** How many calls run at once; more of them wait for a thread. */
const THREADS = 32;

/** The error with which a promise is rejected. */
const errorOf = (promise) =>
  promise.then(
    () => {
      throw new Error('nothing was refused');
    },
    (error) => error,
  );

/** Runs one of the programs beside the tests to its end. */
function ran(program, args = [], { node = [], killAt } = {}) {
  const child = spawn(process.execPath, [...node, join(__dirname, program), ...args]);
  const told = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      told[stream] += text;
      if (killAt !== undefined && told.stdout.includes(killAt)) child.kill('SIGTERM');
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...told, code, signal }));
  });
}

module.exports = {
  THREADS,
  close,
  deferred,
  draft,
  errorOf,
  folder,
  letters,
  numbered,
  opened,
  openedOnDisk,
  ran,
  until,
};
