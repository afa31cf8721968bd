// The Kysely storage and the host's own transactions, on each database.
'use strict';

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { after, beforeEach, before, describe, test } = require('node:test');
const vm = require('node:vm');

const {
  CamelCasePlugin,
  DialectAdapterBase,
  DummyDriver,
  Kysely,
  Migrator,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} = require('kysely');

const { ConfigurationError, Platform, schemaVersion, tables } = require('..');
const { KyselyStorage, migrate, migrations } = require('../dist/kysely');
const { empty, postgres, sqlite, sqliteInstance, withoutPostgres } = require('./kysely-databases');
const { draft } = require('./support');

const PASSWORD = 'plain teal walrus 94 umbrella';
const withPassword = { invite: false, password: PASSWORD, passwordConfirmation: PASSWORD };
const other = (label) => draft({ loginDomain: label, email: `owner@${label}.example` });

class HostFailed extends Error {}

/** What a promise is rejected with. */
const refusal = (promise) =>
  promise.then(
    (value) => assert.fail(`there is an answer: ${value}`),
    (error) => error,
  );

const DATABASES = [
  ['SQLite', sqlite, false],
  ['PostgreSQL', postgres, withoutPostgres],
];

for (const [kind, make, skip] of DATABASES) {
  const onPostgres = kind === 'PostgreSQL';
  describe(kind, { skip }, () => {
    let database, db, storage, platform, agency;

    before(async () => {
      database = await make();
      ({ db } = database);
      await sql`CREATE TABLE contracts (reseller text)`.execute(db);
    });
    after(() => database.close());
    beforeEach(async () => {
      await empty(db);
      await db.deleteFrom('contracts').execute();
      storage = new KyselyStorage(db, { beside: database.beside });
      platform = await Platform.withStorage(storage);
      agency = await platform.createAgency('northwind');
    });

    const names = async () => {
      const page = await agency.page({ limit: 100 });
      return page.resellers.map((reseller) => reseller.loginDomain).sort();
    };
    const contracts = async () => (await db.selectFrom('contracts').selectAll().execute()).length;
    const failures = async () => {
      const { rows } = await sql`SELECT max(failures) AS n FROM partnerkit_attempts`.execute(db);
      return Number(rows[0].n ?? 0);
    };
    const signIn = (password, label = 'acme', by = platform) =>
      by.signIn({ loginDomain: label, email: `owner@${label}.example`, password });
    const guess = () => signIn('wrong');

    test('what is done in one transaction is committed together', async () => {
      const acme = await storage.transaction(async (trx) => {
        const acme = await agency.createReseller(draft());
        await trx.insertInto('contracts').values({ reseller: acme.id }).execute();
        await agency.createReseller(other('globex'));
        await agency.consume({ reseller: acme.id, metric: 'messages', quantity: 3, id: 'call' });
        assert.deepEqual(await names(), ['acme', 'globex'], 'it reads what it has written');
        return acme;
      });
      assert.deepEqual(await names(), ['acme', 'globex']);
      assert.equal((await agency.overview()).messages, 3n);
      assert.equal((await agency.reseller(acme.id)).name, acme.name);
      assert.equal(await contracts(), 1);
    });

    test('what is done in one transaction vanishes together', async () => {
      const failed = storage.transaction(async (trx) => {
        const acme = await agency.createReseller(draft());
        await trx.insertInto('contracts').values({ reseller: acme.id }).execute();
        throw new HostFailed();
      });
      await assert.rejects(failed, HostFailed);
      assert.deepEqual(await names(), []);
      assert.equal((await agency.overview()).activeResellers, 0);
      assert.equal(await contracts(), 0);
      const changes = await agency.changes();
      assert.deepEqual(
        changes.map((change) => change.kind),
        ['agency_created'],
      );
    });

    test('an aborted call writes nothing outside the transaction in which it began', async () => {
      for (const abort of [(c) => c.abort(), (c) => setImmediate(() => c.abort())]) {
        const failed = storage.transaction(async () => {
          const controller = new AbortController();
          const call = agency.createReseller(draft(), { signal: controller.signal });
          abort(controller);
          await assert.rejects(call, { name: 'AbortError' });
          throw new HostFailed();
        });
        await assert.rejects(failed, HostFailed);
        // What still runs has ended when the next calls have.
        await agency.createReseller(other('globex'));
        assert.deepEqual(await names(), ['globex']);
        await agency.deleteReseller((await agency.page()).resellers[0].id);
        await empty(db);
        platform = await Platform.withStorage(storage);
        agency = await platform.createAgency('northwind');
      }
    });

    test('joins of one transaction that overlap keep what was answered', async () => {
      for (let i = 0; i < 5; i += 1) {
        const [label, taken] = [`x${'abcde'[i]}`, 'api'];
        await db.transaction().execute(async (trx) => {
          const [made, refused] = await Promise.allSettled([
            storage.join(trx, () => agency.createReseller(other(label))),
            storage.join(trx, () => agency.createReseller(other(taken))),
          ]);
          assert.deepEqual([made.status, refused.status], ['fulfilled', 'rejected']);
        });
        assert.ok((await names()).includes(label), label);
      }
    });

    test('a call in a transaction does not wait for those that wait for its connection', async () => {
      const reads = [];
      await storage.transaction(async () => {
        const { id } = await agency.createReseller(draft());
        storage.outside(() => {
          for (let i = 0; i < 64; i += 1) reads.push(agency.page());
        });
        assert.equal((await agency.deactivate(id)).status, 'inactive');
      });
      for (const { resellers } of await Promise.all(reads)) assert.ok(resellers.length <= 1);
    });

    test('a transaction that the host has begun itself is joined', async () => {
      const failed = db.transaction().execute((trx) =>
        storage.join(trx, async () => {
          await agency.createReseller(draft());
          throw new HostFailed();
        }),
      );
      await assert.rejects(failed, HostFailed);
      await db.transaction().execute(async (trx) => {
        await storage.join(trx, () => agency.createReseller(other('globex')));
        await storage.join(trx, () => agency.createReseller(other('initech')));
      });
      assert.deepEqual(await names(), ['globex', 'initech']);
    });

    test('an error of the library leaves the transaction usable', async () => {
      const acme = await agency.createReseller(draft());
      await storage.transaction(async () => {
        const taken = await refusal(agency.createReseller(draft({ email: 'b@acme.example' })));
        assert.deepEqual(
          taken.fields.map(({ field, code }) => [field, code]),
          [['loginDomain', 'taken']],
        );
        const globex = await agency.createReseller(other('globex'));
        const mail = await refusal(
          agency.updateReseller(globex.id, { email: 'owner@acme.example' }),
        );
        assert.equal(mail.code, 'validation');
        const stale = await refusal(
          agency.updateReseller(acme.id, { name: 'Another' }, { version: 7 }),
        );
        assert.equal(stale.code, 'conflict');
        const none = await refusal(agency.reseller('0199aaaa-0000-7000-8000-000000000000'));
        assert.equal(none.code, 'not_found');
        await agency.updateReseller(globex.id, { name: 'Globex' });
      });
      assert.deepEqual(await names(), ['acme', 'globex']);
    });

    test('calls that run at once in one transaction take turns', async () => {
      const labels = Array.from({ length: 8 }, (_, n) => `acme${String.fromCharCode(97 + n)}`);
      const all = () => Promise.all(labels.map((label) => agency.createReseller(other(label))));
      await assert.rejects(
        storage.transaction(async () => {
          await all();
          throw new HostFailed();
        }),
        HostFailed,
      );
      assert.deepEqual(await names(), []);
      await storage.transaction(async () => {
        const [taken] = await Promise.all([
          refusal(agency.createReseller(draft({ loginDomain: 'www' }))),
          all(),
        ]);
        assert.equal(taken.code, 'validation');
      });
      assert.deepEqual(await names(), labels);
      assert.equal((await agency.overview()).activeResellers, 8);
    });

    test('a call that is not awaited is undone with its own error', async () => {
      const open = [];
      await storage.transaction(async (trx) => {
        await agency.createReseller(other('globex'));
        // It is open, or has not begun, when the transaction ends.
        open.push(refusal(agency.createReseller(draft())));
        await trx.insertInto('contracts').values({ reseller: 'x' }).execute();
      });
      const [error] = await Promise.all(open);
      assert.equal(error.code, 'inside_transaction');
      assert.match(error.cause.message, /await every call/);
      assert.deepEqual(await names(), ['globex']);
      assert.equal(await contracts(), 1);
    });

    test('a call after the transaction is refused, and outside of it allowed', async () => {
      let later;
      const ended = new Promise((resolve) => {
        later = resolve;
      });
      let late, allowed;
      await storage.transaction(async () => {
        late = ended.then(() => refusal(agency.createReseller(draft())));
        allowed = storage.outside(() => ended.then(() => agency.createReseller(other('globex'))));
      });
      later();
      assert.equal((await late).code, 'inside_transaction');
      assert.equal((await allowed).loginDomain, 'globex');
      assert.deepEqual(await names(), ['globex']);
    });

    test('transactions of the host do not nest by themselves', async () => {
      const nested = storage.transaction(async () => storage.transaction(async () => {}));
      await assert.rejects(nested, /open already/);
      await storage.transaction(() => agency.createReseller(draft()));
      assert.deepEqual(await names(), ['acme']);
    });

    test('only the callers in a transaction are in it', async () => {
      let inside, goOn;
      const open = new Promise((resolve) => (inside = resolve));
      const wait = new Promise((resolve) => (goOn = resolve));
      const host = storage.transaction(async () => {
        await agency.createReseller(draft());
        inside();
        await wait;
        throw new HostFailed();
      });
      await open;
      // On SQLite it waits until the one connection is free.
      const outside = agency.createReseller(other('globex'));
      if (onPostgres) {
        assert.deepEqual(await names(), [], 'nothing is committed');
        await agency.page({});
      }
      goOn();
      await assert.rejects(host, HostFailed);
      await outside;
      assert.deepEqual(await names(), ['globex']);
    });

    test('a failed sign-in is counted although the host rolls back (S19)', async () => {
      await agency.createReseller(draft(withPassword));
      const failed = storage.transaction(async () => {
        assert.equal((await agency.overview()).activeResellers, 1, 'the host has read');
        assert.equal((await refusal(guess())).code, 'access_denied');
        throw new HostFailed();
      });
      await assert.rejects(failed, HostFailed);
      assert.equal(await failures(), 1);
    });

    test('who was created in a transaction signs in there, if the database can', async () => {
      await storage.transaction(async () => {
        const acme = await agency.createReseller(draft(withPassword));
        const right = signIn(PASSWORD);
        if (onPostgres) {
          assert.equal((await platform.checkAccess((await right).stamp, null)).reseller, acme.id);
          assert.equal((await refusal(guess())).code, 'access_denied');
        } else {
          assert.equal((await refusal(right)).code, 'inside_transaction', 'SQLite has one writer');
        }
        await agency.createReseller(other('globex'));
      });
      assert.deepEqual(await names(), ['acme', 'globex']);
      assert.equal(await failures(), onPostgres ? 1 : 0);
    });

    test('with one connection, a sign-in inside is an error, and no deadlock', async () => {
      await agency.createReseller(draft(withPassword));
      const one = onPostgres ? await make({ max: 1 }) : database;
      const alone = new KyselyStorage(one.db);
      const inside = await Platform.withStorage(alone);
      const there = await inside.ensureAgency('contoso');
      await inside.prepare();
      await alone.transaction(async () => {
        await there.createReseller(other('globex'));
        const refused = await refusal(signIn('wrong', 'globex', inside));
        assert.equal(refused.code, 'inside_transaction');
        await there.createReseller(other('initech'));
      });
      assert.equal((await there.page({})).resellers.length, 2, 'the connection is free again');
      const denied = await refusal(signIn('wrong', 'globex', inside));
      assert.equal(denied.code, 'access_denied');
      if (onPostgres) await one.close();
    });

    test('an instance with a schema is refused, because its tables would be others', async () => {
      const refused = { name: 'ConfigurationError', message: /withSchema/ };
      const schema = db.withSchema('resellers');
      assert.throws(() => new KyselyStorage(schema), refused);
      assert.throws(() => new KyselyStorage(db, { beside: schema }), refused);
      await assert.rejects(migrate(schema), refused);
      for (const { up } of Object.values(migrations)) await assert.rejects(up(schema), refused);
      // A transaction of the host's may have one for the host's own tables.
      await db
        .transaction()
        .execute((trx) =>
          storage.join(trx.withSchema('resellers'), () => agency.createReseller(draft())),
        );
      assert.deepEqual(await names(), ['acme']);
    });

    test('a second instance on another database is refused', async () => {
      const other = await make();
      try {
        for (const beside of [other.db, other.beside]) {
          const wrong = new KyselyStorage(db, { beside });
          for (const inside of [(work) => work(), (work) => wrong.transaction(work)]) {
            const error = await refusal(inside(() => Platform.withStorage(wrong)));
            assert.equal(error.code, 'configuration');
            assert.match(error.cause.message, /`beside` is an instance of another database/);
          }
        }
        const same = new KyselyStorage(db, { beside: db });
        await same.transaction(() => Platform.withStorage(same));
      } finally {
        await other.close();
      }
    });

    test('options that there are not are refused', async () => {
      const beside = database.beside;
      assert.throws(() => new KyselyStorage(db, { besides: beside }), /there is no 'besides'/);
      assert.throws(() => new KyselyStorage(db, { dialect: 'mysql' }), /^TypeError: dialect/);
      await assert.rejects(migrate(db, { dialekt: 'sqlite' }), /there is no 'dialekt'/);
    });

    test('bytes may be of another realm', async () => {
      const Bytes = vm.runInNewContext('Uint8Array');
      const begun = await storage.begin('_platform', 'own');
      const table = tables.find(({ name }) => name === 'attempts');
      const row = (attempt) => ['_platform', attempt, 1n, 0n];
      await begun.tell([{ verb: 'put', table, rows: [row(new Bytes([1, 2, 3]))] }]);
      const keys = [['_platform', new Bytes([1, 2, 3])]];
      const question = { verb: 'get', table, by: ['agency', 'attempt'], keys, lock: null };
      const [[found]] = await begun.ask([question]);
      await begun.commit();
      assert.deepEqual(found, row(Buffer.from([1, 2, 3])));
    });

    test('the plugins of the host change nothing', async () => {
      const camel = db.withPlugin(new CamelCasePlugin());
      const own = await Platform.withStorage(new KyselyStorage(camel));
      const created = await (await own.agency('northwind')).createReseller(draft());
      assert.deepEqual(await agency.reseller(created.id), created);
    });

    test('migrations make what is declared', async () => {
      const made = await db.introspection.getTables();
      for (const { name, columns, key, indexes } of tables) {
        const table = made.find((it) => it.name === `partnerkit_${name}`);
        const found = table.columns.map((it) => `${it.name} ${it.isNullable}`).sort();
        assert.deepEqual(found, columns.map((it) => `${it.name} ${it.nullable}`).sort());
        const wanted = indexes.map((it) => `${it.unique} ${it.columns}`);
        assert.deepEqual(await indexed(table.name), [`true ${key}`, ...wanted].sort(), name);
      }
      const known = made.filter((it) => it.name.startsWith('partnerkit_')).length;
      assert.equal(known, tables.length + 1, 'and the version');
      assert.equal(await storage.schemaVersion(), schemaVersion);
    });

    /** The indexes of a table, that of the primary key included: `unique column,column`. */
    async function indexed(table) {
      const found = onPostgres
        ? await sql`SELECT i.indisunique AS uniquely,
            (SELECT string_agg(a.attname, ',' ORDER BY k.n)
             FROM unnest(i.indkey) WITH ORDINALITY AS k (at, n)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.at) AS columns
            FROM pg_index i WHERE i.indrelid = ${table}::regclass`.execute(db)
        : await sql`SELECT l."unique" AS uniquely,
            (SELECT group_concat(name, ',') FROM pragma_index_info(l.name)) AS columns
            FROM pragma_index_list(${table}) AS l`.execute(db);
      return found.rows.map((row) => `${Boolean(row.uniquely)} ${row.columns}`).sort();
    }

    test('texts are compared by code points', async () => {
      const { rows } = onPostgres
        ? await sql`SELECT DISTINCT collation_name AS c FROM information_schema.columns
            WHERE table_name LIKE 'partnerkit\\_%' AND data_type = 'text'`.execute(db)
        : { rows: [{ c: 'C' }] };
      assert.deepEqual(rows, [{ c: 'C' }]);
    });

    test('a migration that is repeated, or run by many, does nothing', async () => {
      await agency.createReseller(draft());
      await Promise.all([1, 2, 3].map(() => migrate(db)));
      assert.deepEqual(await names(), ['acme']);
    });
  });

  describe(`${kind}, without tables`, { skip }, () => {
    test("missing tables are an error, and Kysely's own migrator makes them", async () => {
      const database = await make({ tables: false });
      try {
        const storage = new KyselyStorage(database.db);
        const missing = await refusal(Platform.withStorage(storage));
        assert.match(String(missing.cause ?? missing), /run `migrate`/);
        const provider = { getMigrations: async () => migrations };
        const { error } = await new Migrator({ db: database.db, provider }).migrateToLatest();
        assert.equal(error, undefined);
        const platform = await Platform.withStorage(storage);
        await platform.createAgency('northwind');
        await migrate(database.db);
        assert.equal((await platform.agency('northwind')).id, 'northwind');
        // The tables are there, whoever has made them: nothing is made twice.
        for (const { up } of Object.values(migrations)) await up(database.db);
        assert.equal((await platform.agency('northwind')).id, 'northwind');
      } finally {
        await database.close();
      }
    });

    test('rollups of version 2 are unpacked (S52)', async () => {
      const database = await make({ tables: false });
      try {
        await migrate(database.db);
        await takeBackToVersion2(database.db);
        for (const [day, reseller, metric, sums, events, slots] of rollups('rollups')) {
          const values = [BigInt(day), uuid(reseller), metric, BigInt(sums), BigInt(events)];
          await sql`INSERT INTO partnerkit_rollups
            (agency, day, reseller, metric, sum, events, slots)
            VALUES ('northwind', ${sql.join([...values, Buffer.from(slots, 'hex')])})`.execute(
            database.db,
          );
        }
        await migrate(database.db);
        for (const name of ['counter_days', 'gauge_days', 'agency_slots']) {
          const { columns } = tables.find((table) => table.name === name);
          const text = sql.join(columns.map((it) => asText(it)));
          const { rows } =
            await sql`SELECT ${text} FROM ${sql.table(`partnerkit_${name}`)}`.execute(database.db);
          const found = rows.map((row) => columns.map((it) => row[it.name]).join(' '));
          const expected = rollups(name).map((row) => ['northwind', ...row].join(' '));
          assert.deepEqual(found.sort(), expected.sort());
        }
      } finally {
        await database.close();
      }
    });

    /** Makes the tables those of version 2, as far as metering has changed them. */
    async function takeBackToVersion2(db) {
      for (const name of ['counter_days', 'gauge_days', 'agency_slots'])
        await sql`DROP TABLE ${sql.table(`partnerkit_${name}`)}`.execute(db);
      await sql`ALTER TABLE partnerkit_events DROP COLUMN voided`.execute(db);
      const [integer, bytes, uuid] = onPostgres
        ? [sql`bigint`, sql`bytea`, sql`uuid`]
        : [sql`integer`, sql`blob`, sql`text`];
      await sql`CREATE TABLE partnerkit_rollups (
        agency text NOT NULL, day ${integer} NOT NULL, reseller ${uuid} NOT NULL,
        metric text NOT NULL, sum ${integer} NOT NULL, events ${integer} NOT NULL,
        slots ${bytes} NOT NULL, PRIMARY KEY (agency, day, reseller, metric))`.execute(db);
      await sql`UPDATE partnerkit_schema SET version = 2`.execute(db);
    }

    /** A column as text, bytes in hexadecimal digits. */
    function asText({ name, kind }) {
      const [column, as] = [sql.ref(name), sql.ref(name)];
      if (kind === 'uuid') return sql`replace(CAST(${column} AS text), '-', '') AS ${as}`;
      if (kind !== 'bytes') return sql`CAST(${column} AS text) AS ${as}`;
      return onPostgres
        ? sql`encode(${column}, 'hex') AS ${as}`
        : sql`lower(hex(${column})) AS ${as}`;
    }
  });
}

/** The rows of a table, without the agency: see the file. */
function rollups(table) {
  const file = readFileSync(path.join(__dirname, '../../tests/data/rollups.tsv'), 'utf8');
  const rows = file.split('\n').map((line) => line.split('\t'));
  return rows.filter(([name]) => name === table).map((row) => row.slice(1));
}

/** A UUID as it is written, of its digits. */
const uuid = (digits) => digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');

test('of several processes that migrate one file, one does it, and all go on (S52)', async () => {
  const database = await sqlite({ tables: false });
  const child = path.join(__dirname, 'child-migrates.js');
  const children = [1, 2, 3].map(() => fork(child, [database.file]));
  await Promise.all(children.map((it) => once(it, 'message')));
  const ended = children.map((it) => once(it, 'exit'));
  for (const it of children) it.send('go');
  assert.deepEqual(
    (await Promise.all(ended)).map(([code]) => code),
    [0, 0, 0],
  );
  assert.equal(await new KyselyStorage(database.db).schemaVersion(), schemaVersion);
  await database.close();
});

test('a migration waits for a lock, and the event loop does not', async () => {
  const { db, beside, close } = await sqlite({ tables: false });
  await sql`PRAGMA busy_timeout = 10000`.execute(db);
  const steps = [];
  await beside.connection().execute(async (connection) => {
    await sql`BEGIN IMMEDIATE`.execute(connection);
    const migrated = migrate(db).then(() => steps.push('migrated'));
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
    // A driver that waits itself would have kept the loop for all of its patience.
    steps.push(performance.now() - began < 10_000 ? 'went on' : 'stood still');
    await sql`COMMIT`.execute(connection);
    await migrated;
  });
  assert.deepEqual(steps, ['went on', 'migrated']);
  assert.deepEqual((await sql`PRAGMA busy_timeout`.execute(db)).rows, [{ timeout: 10_000 }]);
  await close();
});

test('a second instance in memory is refused', async () => {
  const [db, beside] = [sqliteInstance(':memory:'), sqliteInstance(':memory:')];
  await Promise.all([migrate(db), migrate(beside)]);
  const error = await refusal(Platform.withStorage(new KyselyStorage(db, { beside })));
  assert.equal(error.code, 'configuration');
  assert.match(error.cause.message, /`beside` is an instance of another database/);
  await Platform.withStorage(new KyselyStorage(db));
  await Platform.withStorage(new KyselyStorage(db, { beside: db }));
  await Promise.all([db.destroy(), beside.destroy()]);
});

test('a database of SQLite that is not in UTF-8 is refused', async () => {
  for (const encoding of ['UTF-16le', 'UTF-16be']) {
    const { db, close } = await sqlite({ tables: false, pragmas: [`encoding = '${encoding}'`] });
    const [{ up }] = Object.values(migrations);
    for (const error of [await refusal(migrate(db)), await refusal(up(db))]) {
      assert.ok(error instanceof ConfigurationError);
      assert.match(error.message, new RegExp(`is ${encoding}; PartnerKit needs UTF-8`));
    }
    const error = await refusal(Platform.withStorage(new KyselyStorage(db)));
    assert.equal(error.code, 'configuration');
    assert.match(error.cause.message, new RegExp(`is ${encoding}`));
    const { rows } = await sql`SELECT name FROM sqlite_master`.execute(db);
    assert.deepEqual(rows, []);
    await close();
  }
});

test('the second instance keeps its patience', async () => {
  const { db, beside, close } = await sqlite();
  await sql`PRAGMA busy_timeout = 1234`.execute(beside);
  const storage = new KyselyStorage(db, { beside });
  const platform = await Platform.withStorage(storage);
  const agency = await platform.createAgency('northwind');
  await agency.createReseller(draft(withPassword));
  const signIn = { loginDomain: 'acme', email: 'owner@acme.example', password: 'wrong' };
  await storage.transaction(async () => {
    assert.equal((await refusal(platform.signIn(signIn))).code, 'access_denied');
    await agency.createReseller(other('globex'));
    assert.equal((await refusal(platform.signIn(signIn))).code, 'inside_transaction');
  });
  const { rows } = await sql`PRAGMA busy_timeout`.execute(beside);
  assert.deepEqual(rows, [{ timeout: 1234 }]);
  await close();
});

test('a database of another kind is refused', () => {
  class MysqlAdapter extends SqliteAdapter {}
  Object.setPrototypeOf(MysqlAdapter.prototype, DialectAdapterBase.prototype);
  const db = new Kysely({
    dialect: {
      createAdapter: () => new MysqlAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new SqliteIntrospector(of),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  assert.throws(() => new KyselyStorage(db), /neither PostgreSQL nor SQLite/);
  assert.ok(new KyselyStorage(db, { dialect: 'sqlite' }));
});
