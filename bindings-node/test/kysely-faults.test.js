// What goes wrong between the Kysely storage and its database: connections that are lost, answers
// to COMMIT, deadlines, and somebody who is in the way.
'use strict';

const assert = require('node:assert/strict');
const { existsSync, readFileSync } = require('node:fs');
const { after, afterEach, before, beforeEach, describe, test } = require('node:test');
const { setTimeout: wait } = require('node:timers/promises');

const { sql } = require('kysely');

const { Platform, tables } = require('..');
const { KyselyStorage } = require('../dist/kysely');
const {
  empty,
  postgres,
  postgresInstance,
  sqlite,
  sqliteInstance,
  withoutPostgres,
} = require('./kysely-databases');
const { draft } = require('./support');

const TOTALS = tables.find((table) => table.name === 'totals');
const ROW = ['northwind', 'messages', 1n];
const codeOf = (promise) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  );

/** Writes a row through the storage itself, and gives back what the commit says. */
async function written(storage) {
  const transaction = await storage.begin('northwind', 'join');
  await transaction.tell([{ verb: 'put', table: TOTALS, rows: [ROW] }]);
  await transaction.commit();
}

async function stored(storage) {
  const transaction = await storage.begin('northwind', 'read');
  const question = {
    verb: 'get',
    table: TOTALS,
    by: TOTALS.key,
    keys: [ROW.slice(0, 2)],
    lock: null,
  };
  const [[row]] = await transaction.ask([question]);
  await transaction.commit();
  return row !== null;
}

describe('PostgreSQL', { skip: withoutPostgres }, () => {
  let database, db, storage, agency;

  before(async () => {
    database = await postgres();
    ({ db } = database);
  });
  after(() => database.close());
  beforeEach(async () => {
    await empty(db);
    storage = new KyselyStorage(db, { beside: database.beside });
    agency = await (await Platform.withStorage(storage)).createAgency('northwind');
  });

  /** Ends every other connection to the database but those of one instance of our own. */
  async function loseConnections() {
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(database.beside);
  }

  /** Does something when the library has asked its first question. */
  function whenAsked(what) {
    const begin = storage.begin.bind(storage);
    storage.begin = async (...args) => {
      const transaction = await begin(...args);
      const ask = transaction.ask.bind(transaction);
      transaction.ask = async (questions) => {
        const answers = await ask(questions);
        if (what) await what();
        return answers;
      };
      return transaction;
    };
  }

  test('a connection that is lost in a call fails the call, and the next one works', async () => {
    let lost = false;
    whenAsked(async () => {
      if (!lost) await loseConnections();
      lost = true;
    });
    assert.equal(await codeOf(agency.createReseller(draft())), 'storage');
    assert.ok(lost);
    assert.equal((await agency.page({})).resellers.length, 0);
    await agency.createReseller(draft());
    assert.equal((await agency.page({})).resellers.length, 1);
  });

  test("a connection that is lost in the host's transaction fails both", async () => {
    const host = storage.transaction(async () => {
      await agency.createReseller(draft());
      await loseConnections();
      assert.equal(await codeOf(agency.updateAgency({ timeZone: 'Europe/Berlin' })), 'storage');
    });
    await assert.rejects(host);
    assert.equal((await agency.page({})).resellers.length, 0);
  });

  /** Makes the server do something at COMMIT. */
  async function atCommit(what) {
    await sql
      .raw(
        `CREATE OR REPLACE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN ${what}; RETURN NULL; END $$`,
      )
      .execute(db);
    await sql
      .raw(
        `CREATE CONSTRAINT TRIGGER says AFTER INSERT ON partnerkit_totals
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION says()`,
      )
      .execute(db);
  }

  for (const [code, kind] of [
    ['XX000', 'outcome_unknown'],
    ['40003', 'outcome_unknown'],
    ['57014', 'outcome_unknown'],
    ['40001', 'aborted'],
    ['40P01', 'aborted'],
    ['23514', '23514'],
    ['40002', '40002'],
  ]) {
    test(`COMMIT that fails with ${code} is ${kind}`, async () => {
      await atCommit(`RAISE 'so it is' USING ERRCODE = '${code}'`);
      try {
        assert.equal(await codeOf(written(storage)), kind);
      } finally {
        await sql`DROP TRIGGER says ON partnerkit_totals`.execute(db);
      }
      assert.equal(await stored(storage), false);
      await written(storage);
      assert.equal(await stored(storage), true);
    });
  }

  test('nobody knows what a COMMIT did whose connection is lost', async () => {
    await atCommit('PERFORM pg_terminate_backend(pg_backend_pid())');
    try {
      assert.equal(await codeOf(written(storage)), 'outcome_unknown');
    } finally {
      await sql`DROP TRIGGER says ON partnerkit_totals`.execute(db);
    }
    await written(storage);
  });

  test('a call that waits for a lock too long fails, and its connection comes back', async () => {
    const pool = { max: 2 };
    const small = postgresInstance(database.url, pool.max);
    const platform = await Platform.withStorage(new KyselyStorage(small), { deadline: 300 });
    const there = await platform.agency('northwind');
    await db.transaction().execute(async (trx) => {
      await sql`LOCK TABLE partnerkit_agencies`.execute(trx);
      const calls = [1, 2, 3].map(() => codeOf(there.createReseller(draft())));
      assert.deepEqual(await Promise.all(calls), ['storage', 'storage', 'storage']);
    });
    await Promise.all([1, 2].map(() => sql`SELECT 1`.execute(small)));
    const again = await Platform.withStorage(new KyselyStorage(small));
    const agencyAgain = await again.agency('northwind');
    await agencyAgain.createReseller(draft());
    assert.equal((await agencyAgain.page({})).resellers.length, 1, 'nothing came of the others');
    await platform.close();
    await again.close();
    await small.destroy();
  });

  test("what the host's own transaction has locked ends a sign-in inside of it", async () => {
    const platform = await Platform.withStorage(storage);
    const host = storage.transaction(async (trx) => {
      await sql`LOCK TABLE partnerkit_attempts`.execute(trx);
      const guess = platform.signIn({
        loginDomain: 'acme',
        email: 'a@acme.example',
        password: 'wrong',
      });
      assert.equal(await codeOf(guess), 'inside_transaction');
      await agency.createReseller(draft());
    });
    await host;
    assert.equal((await agency.page({})).resellers.length, 1);
  });

  test('a serialization failure goes up to the host, who alone can begin again', async () => {
    const acme = await agency.createReseller(draft());
    const host = db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute((trx) =>
        storage.join(trx, async () => {
          await agency.reseller(acme.id);
          await storage.outside(() => agency.updateReseller(acme.id, { name: 'Another' }));
          await agency.updateReseller(acme.id, { name: 'A third' });
        }),
      );
    assert.equal(await codeOf(host), 'aborted');
    assert.equal((await agency.reseller(acme.id)).name, 'Another');
  });
});

describe('SQLite', () => {
  let database, storage, agency;

  beforeEach(async () => {
    database = await sqlite();
    storage = new KyselyStorage(database.db, { beside: database.beside });
    agency = await (await Platform.withStorage(storage)).createAgency('northwind');
  });
  afterEach(() => database.close());

  test('another writer makes a call try again, and the event loop turns meanwhile', async () => {
    const other = sqliteInstance(database.file, ['busy_timeout = 0']);
    await sql`PRAGMA busy_timeout = 0`.execute(database.db);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    const writer = other.transaction().execute(async (trx) => {
      await sql`UPDATE partnerkit_agencies SET numbered = numbered`.execute(trx);
      await held;
    });
    await wait(20);
    const created = codeOf(agency.createReseller(draft()));
    await wait(50);
    release();
    await writer;
    assert.ok(['no error', 'aborted'].includes(await created));
    await codeOf(agency.createReseller(draft()));
    assert.equal((await agency.page({})).resellers.length, 1);
    await other.destroy();
  });

  test('a block whose snapshot has aged cannot write, and says so', async () => {
    const other = new KyselyStorage(database.beside);
    const there = await (await Platform.withStorage(other)).agency('northwind');
    await storage.transaction(async () => {
      assert.equal((await agency.overview()).messages, 0n);
      await there.createReseller(draft({ loginDomain: 'globex', email: 'a@globex.example' }));
      assert.equal(await codeOf(agency.createReseller(draft())), 'aborted');
    });
    const { resellers } = await agency.page({});
    assert.deepEqual(
      resellers.map((reseller) => reseller.loginDomain),
      ['globex'],
    );
  });

  for (const mode of ['WAL', 'PERSIST', 'DELETE']) {
    test(`what was deleted is gone from the files, with the journal mode ${mode}`, async () => {
      const own = await sqlite({ pragmas: [`journal_mode = ${mode}`] });
      const platform = await Platform.withStorage(new KyselyStorage(own.db));
      const there = await platform.createAgency('northwind');
      const acme = await there.createReseller(draft({ name: 'Canary Veronique' }));
      const has = () =>
        ['', '-wal', '-journal'].some(
          (end) => existsSync(own.file + end) && readFileSync(own.file + end).includes('Canary'),
        );
      assert.ok(has());
      assert.equal(await there.deleteReseller(acme.id), 'complete');
      assert.ok(!has());
      await own.close();
    });
  }
});
