// The storage contract, case by case, over Kysely on each database: on its own, and with each of
// the library's transactions inside one of the host's.
'use strict';

const { after, before, describe, test } = require('node:test');

const { conformanceCases, runConformanceCase } = require('../dist/conformance');
const { KyselyStorage } = require('../dist/kysely');
const { empty, postgres, sqlite, withoutPostgres } = require('./kysely-databases');

/** Begins a transaction of the host's for each of the library's, which is a part of it. */
class InsideHosts {
  #db;
  #storage;

  constructor(db, storage) {
    this.#db = db;
    this.#storage = storage;
  }

  schemaVersion() {
    return this.#storage.transaction(() => this.#storage.schemaVersion());
  }

  scrub() {
    return this.#storage.scrub();
  }

  begin(agency, mode) {
    return new Promise((resolve, reject) => {
      const work = async () => {
        const inner = await this.#storage.begin(agency, mode);
        await new Promise((commit, rollback) => {
          resolve(new InsideHost(inner, { commit, rollback, ended: () => host }));
        });
      };
      const host = mode === 'read' ? this.#snapshot(work) : this.#storage.transaction(work);
      host.catch(reject);
    });
  }

  /** What reads more than once, and wants to see one state, needs more than READ COMMITTED. */
  #snapshot(work) {
    const transaction = this.#db.transaction().setIsolationLevel('repeatable read');
    return transaction.execute((trx) => this.#storage.join(trx, work));
  }
}

class InsideHost {
  #inner;
  #host;

  constructor(inner, host) {
    this.#inner = inner;
    this.#host = host;
  }

  ask(questions) {
    return this.#inner.ask(questions);
  }

  tell(writes) {
    return this.#inner.tell(writes);
  }

  async commit() {
    try {
      await this.#inner.commit();
    } catch (error) {
      this.#host.rollback(error);
      throw await this.#host.ended().catch((thrown) => thrown);
    }
    this.#host.commit();
    await this.#host.ended();
  }

  async rollback() {
    await this.#inner.rollback();
    this.#host.rollback(new Error('rolled back'));
    await this.#host.ended().catch(() => {});
  }
}

const WAYS = {
  'on its own': (db, storage) => storage,
  "inside the host's transactions": (db, storage) => new InsideHosts(db, storage),
};

const DATABASES = [
  ['SQLite', sqlite, false],
  ['PostgreSQL', postgres, withoutPostgres],
];

describe('Kysely', { concurrency: 4 }, () => {
  for (const [name, make, skip] of DATABASES) {
    for (const [way, wrapped] of Object.entries(WAYS)) {
      describe(`${name}, ${way}`, { skip, concurrency: 1 }, () => {
        let database;
        before(async () => {
          database = await make();
        });
        after(() => database.close());
        for (const conformanceCase of conformanceCases()) {
          test(conformanceCase, () =>
            runConformanceCase(conformanceCase, async () => {
              const { db, beside } = database;
              await empty(db);
              return wrapped(db, new KyselyStorage(db, { beside }));
            }),
          );
        }
      });
    }
  }
});
