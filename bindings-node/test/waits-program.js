// Ends by itself: node waits-program.js WHAT FILE. The platform stays open.
'use strict';

const vm = require('node:vm');

const { Platform } = require('..');
const { close, draft, opened } = require('./support');

const [what, file] = process.argv.slice(2);
const say = (text) => process.stdout.write(`${text}\n`);

const WHAT = {
  /** Nothing but the package. */
  async loads() {},
  async memory() {
    const platform = await Platform.open('memory:');
    await platform.createAgency('northwind');
  },
  async file() {
    const platform = await Platform.open(`sqlite:${file}`);
    await platform.ensureAgency('northwind');
  },
  async storage() {
    const { agency } = await opened({ clock: () => new Date() });
    await agency.createReseller(draft());
  },
  /** A call that nobody waits for still ends. */
  async call() {
    const platform = await Platform.open(`sqlite:${file}`);
    platform.ensureAgency('northwind').then(({ id }) => say(id));
  },
  async hashing() {
    const platform = await Platform.open('memory:');
    const guess = { loginDomain: 'acme', email: 'owner@acme.example', password: 'wrong' };
    platform.signIn(guess).catch(({ code }) => say(code));
  },
  /** A storage that answers late, while nothing else keeps the process alive. */
  async late() {
    const { agency, store } = await opened();
    const closed = close(store);
    agency.overview().then(({ activeResellers }) => say(activeResellers));
    setTimeout(closed.open, 100);
  },
  /** A storage that never answers meets its deadline. */
  async never() {
    const { agency, store } = await opened({ deadline: 200 });
    store.begin = () => new Promise(() => {});
    agency.overview().catch(({ code }) => say(code));
  },
  /** An aborted call keeps nothing alive. */
  async aborted() {
    const { agency, store } = await opened({ deadline: 600_000 });
    store.begin = () => new Promise(() => {});
    const controller = new AbortController();
    agency.overview(controller).catch(({ name }) => say(name));
    setTimeout(() => controller.abort(), 50);
  },
  /** Calls that are cut off at any moment while they start, which runs no `finally`. */
  async cut() {
    const platform = await Platform.open('memory:');
    const agency = await platform.ensureAgency('northwind');
    const begin = () => void agency.overview().catch(() => {});
    for (let round = 0; round < 20; round += 1) {
      const timeout = 2 + (round % 5);
      try {
        vm.runInNewContext('for (;;) begin()', { begin }, { timeout });
      } catch (error) {
        if (error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      }
      await agency.overview();
    }
    say('cut');
  },
  /** A search that was left. */
  async search() {
    const { agency } = await opened();
    await agency.createReseller(draft());
    for await (const { loginDomain } of agency.search()) {
      say(loginDomain);
      break;
    }
  },
};

void WHAT[what]();
