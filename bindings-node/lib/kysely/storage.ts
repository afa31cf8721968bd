/** The storage that lives in a Kysely database. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as wait } from 'node:timers/promises';

import { type ControlledTransaction } from 'kysely';

import { named } from '../given';
import { schemaVersion, type Mode, type TableStore, type TableTransaction } from '../storage';
import { dialectFor, identityOf, kysely, ofTables, tell, unfit, type AnyKysely } from './database';
import { type Ending, Nothing, Own, Savepoint } from './endings';
import { Failure, isBusy, translated } from './failures';
import { HostTransaction } from './hosts';
import { KEEPS_LOCKED, KyselyTransaction } from './rows';
import { impatient, scrub } from './scrub';
import { type KyselyDatabase, type TransactionOf } from './shape';
import { type DialectName } from './sql';
import { storedVersion } from './version';

// Takes SQLite's write lock without changing anything. A transaction that reads first cannot write
// later if somebody else has written in between, and waiting does not help.
const TAKE_WRITE_LOCK = 'UPDATE "partnerkit_agencies" SET "numbered" = "numbered" WHERE 0';
// Deleted personal data must not remain in free pages.
const OVERWRITE_DELETED = 'PRAGMA secure_delete = ON';
// How many milliseconds a transaction beside the host's waits, because the host's transaction may
// have what it waits for: the last connection of a pool, SQLite's write lock, or a row.
const CONNECTION_PATIENCE = 2_000;
const SQLITE_PATIENCE = 300;
const LIMIT_WAITING = "SET LOCAL lock_timeout = '3s'";

/** The options of {@link KyselyStorage}. */
export interface KyselyStorageOptions {
  /** Which database it is; by default found out by the dialect of the Kysely instance. */
  readonly dialect?: DialectName | undefined;
  /**
   * A second Kysely instance of the same database, for what has to stay when the host's transaction
   * is rolled back: failed sign-ins. It is used only inside a transaction of the host's.
   *
   * On PostgreSQL the default is the first instance, whose pool then needs a second connection for
   * each request that signs somebody in inside a transaction; with a pool of its own, requests
   * never wait for each other. On SQLite an instance has one connection: without a second instance,
   * which opens the same file, nobody can sign in inside a transaction (`InsideTransactionError`).
   * An instance of another database is refused when the platform is opened, and so is a second
   * one in memory.
   */
  readonly beside?: KyselyDatabase | undefined;
}

/**
 * The library's rows in a database of the host's, reached through Kysely: PostgreSQL 15, or SQLite
 * 3.37 in write-ahead mode, or newer. `migrate` makes its tables. On PostgreSQL they are in the
 * first schema of the connections' `search_path`; an instance with a schema (`withSchema`) is refused
 * with `ConfigurationError`.
 *
 * Inside `transaction` (and `join`), every call on the platform is a part of the host's
 * transaction, as a savepoint: an error of the library leaves that transaction usable. Calls that
 * run at once take turns on its one connection. Do not run statements of your own while such a call
 * is open: if the call is rolled back, they would be, too.
 *
 * Failed sign-ins are counted beside the host's transaction, on another connection, so that they
 * stay counted when it is rolled back. That connection waits a few seconds at most for what the
 * host's transaction may have; then the call fails with `InsideTransactionError`. So sign in before
 * the transaction, or give {@link KyselyStorageOptions.beside}.
 *
 * On SQLite a transaction that has written keeps everybody else from writing: sign in before it.
 *
 * The `cause` of a `StorageError` is the driver's own error. PostgreSQL's may quote the values of
 * a row (in its `detail`, for example), which are personal data: keep it out of logs that must not have
 * these.
 *
 * With the driver `pg`, give each client of the pool a listener for `error` (`pool.on('connect',
 * (client) => client.on('error', log))`): a connection that is lost between two statements of a
 * transaction is such an event, and without a listener it ends the process.
 *
 * @example
 * ```ts
 * import { Platform } from 'partnerkit';
 * import { KyselyStorage, migrate } from 'partnerkit/kysely';
 *
 * await migrate(db);
 * const storage = new KyselyStorage(db, { beside });
 * const platform = await Platform.withStorage(storage, { loginBase: 'partner.example.com' });
 * const agency = await platform.ensureAgency('northwind');
 *
 * // A reseller and a row of your own, both or neither:
 * await storage.transaction(async (trx) => {
 *   const acme = await agency.createReseller(form);
 *   await trx.insertInto('contracts').values({ reseller: acme.id }).execute();
 * });
 * ```
 */
export class KyselyStorage<DB extends KyselyDatabase = KyselyDatabase> implements TableStore {
  readonly #db: AnyKysely;
  readonly #beside: AnyKysely | undefined;
  readonly #dialect: DialectName;
  /** Whether the second instance is known to be of the same database. */
  #isChecked = false;
  readonly #hosts = new AsyncLocalStorage<HostTransaction | undefined>();

  /** A storage on a Kysely instance. It does not use the database yet. */
  constructor(db: DB, options: KyselyStorageOptions = {}) {
    const { dialect, beside } = named('options', options, ['dialect', 'beside']);
    this.#db = ofTables(db);
    this.#dialect = dialectFor(this.#db, dialect);
    if (beside !== undefined) this.#beside = ofTables(beside);
    else this.#beside = this.#dialect === 'postgres' ? this.#db : undefined;
  }

  /**
   * Begins a transaction of the host's, and commits it when the promise is fulfilled, or rolls it
   * back when that is rejected. Every call on the platform that begins inside is a part of it.
   * Await each of them: a call that is still open at the end is undone, and fails.
   *
   * @example
   * ```ts
   * import { Platform } from 'partnerkit';
   * import { KyselyStorage, migrate } from 'partnerkit/kysely';
   *
   * await migrate(db);
   * const storage = new KyselyStorage(db);
   * const agency = await (await Platform.withStorage(storage)).ensureAgency('northwind');
   * const contract = await storage.transaction(async (trx) => {
   *   const { id: reseller } = await agency.createReseller(form);
   *   await trx.insertInto('contracts').values({ reseller }).execute();
   *   return { reseller };
   * });
   * assert.deepEqual(await db.selectFrom('contracts').selectAll().execute(), [contract]);
   * ```
   */
  transaction<T>(work: (trx: TransactionOf<DB>) => Promise<T>): Promise<T> {
    if (this.#host() !== undefined) {
      throw new Error(
        "partnerkit: a transaction of the host's is open already; use it, or `outside`",
      );
    }
    return this.#db.transaction().execute((begun) => {
      const trx = begun as unknown as TransactionOf<DB>;
      return this.join(trx, () => work(trx));
    });
  }

  /**
   * Makes calls on the platform that begin inside a part of a transaction that the host has begun,
   * of any isolation level. When the promise is settled, no call uses the transaction any more; the
   * host commits it or rolls it back.
   *
   * @example
   * ```ts
   * import { Platform } from 'partnerkit';
   * import { KyselyStorage, migrate } from 'partnerkit/kysely';
   *
   * await migrate(db);
   * const storage = new KyselyStorage(db);
   * const agency = await (await Platform.withStorage(storage)).ensureAgency('northwind');
   * await db.transaction().setIsolationLevel('serializable').execute((trx) =>
   *   storage.join(trx, async () => {
   *     await agency.createReseller(form);
   *   }),
   * );
   * assert.equal((await agency.overview()).activeResellers, 1);
   * ```
   */
  async join<T>(trx: TransactionOf<DB>, work: () => Promise<T>): Promise<T> {
    const host = HostTransaction.join(kysely(trx as object));
    try {
      return await this.#hosts.run(host, work);
    } finally {
      await host.end();
    }
  }

  /**
   * Calls on the platform that begin inside are no part of the transaction around it: for work that
   * goes on after the transaction.
   *
   * @example
   * ```ts
   * import { Platform } from 'partnerkit';
   * import { KyselyStorage, migrate } from 'partnerkit/kysely';
   *
   * await migrate(db);
   * const storage = new KyselyStorage(db);
   * const own = await Platform.withStorage(storage);
   * const { upkeep } = await storage.transaction(async () => {
   *   await own.createAgency('northwind');
   *   // It begins here, and may end after the transaction.
   *   return { upkeep: storage.outside(() => own.maintain()) };
   * });
   * assert.ok((await upkeep).finished);
   * ```
   */
  outside<T>(work: () => T): T {
    return this.#hosts.run(undefined, work);
  }

  /** The version of the tables in the database. */
  async schemaVersion(): Promise<number> {
    const why = await this.#reading((db) => unfit(db, this.#dialect));
    if (why !== undefined) throw new Failure('configuration', why);
    const version = await this.#reading((db) => storedVersion(db, this.#dialect));
    if (version < schemaVersion) {
      const what =
        'the database lacks migrations of PartnerKit: run `migrate` of partnerkit/kysely';
      throw new Failure('configuration', what);
    }
    await this.#checkBeside();
    return version;
  }

  /** Fails if the second instance is of another database, where nobody would look for what it has. */
  async #checkBeside(): Promise<void> {
    const beside = this.#beside;
    if (this.#isChecked || beside === undefined || beside === this.#db) return;
    const identity = (db: AnyKysely) => identityOf(db, this.#dialect);
    const [own, other] = [await this.#inside(identity), await identity(beside)];
    // Of two databases in memory nobody can tell whether they are one.
    if (own === undefined || own !== other) {
      throw new Failure('configuration', '`beside` is an instance of another database');
    }
    this.#isChecked = true;
  }

  /** Whether the caller is inside a transaction of the host's. */
  joined(): boolean {
    return this.#host() !== undefined;
  }

  /** Removes deleted data from the journal of SQLite, if no reader needs it. */
  async scrub(): Promise<boolean> {
    if (this.#dialect !== 'sqlite') return true;
    return this.#host() === undefined && (await scrub(this.#db));
  }

  /** Begins a transaction; the agency is part of every key and needs no setting here. */
  async begin(_agency: string, mode: Mode): Promise<TableTransaction> {
    const ending = await this.#begin(mode);
    try {
      for (const statement of this.#firstStatements(ending, mode)) {
        await tell(ending.db, this.#dialect, statement);
      }
    } catch (error) {
      await ending.rollback();
      if (ending.besideHost && isBusy(error)) throw insideTransaction(error);
      throw translated(error);
    }
    return new KyselyTransaction(ending, this.#dialect);
  }

  async #begin(mode: Mode): Promise<Ending> {
    const host = this.#host();
    if (host === undefined) return new Own(await this.#started(this.#db, mode));
    host.check();
    if (mode === 'own') return this.#besideHost(mode, host);
    if (mode === 'join') {
      host.wrote = true;
      return Savepoint.begin(host, this.#dialect);
    }
    // Where a connection did not come once, a read does not wait for one again.
    if (mode === 'beside' && !host.alone) {
      try {
        return await this.#besideHost(mode, host);
      } catch (error) {
        // Then only what the host's transaction sees can be read.
        if (!(error instanceof Failure && error.code === 'inside_transaction')) throw error;
      }
    }
    return Nothing.begin(host);
  }

  /** A transaction on another connection than the host's, which may not wait for ever. */
  async #besideHost(mode: Mode, host: HostTransaction): Promise<Own> {
    const beside = this.#beside;
    const locked = this.#dialect === 'sqlite' && mode === 'own' && host.wrote;
    if (beside === undefined || locked) throw insideTransaction();
    const started = this.#started(beside, mode);
    const late = Symbol('late');
    const clock = new AbortController();
    const patience = wait(CONNECTION_PATIENCE, late, { signal: clock.signal }).catch(() => late);
    const first = await Promise.race([started, patience]).finally(() => {
      clock.abort();
    });
    if (first !== late) return this.#alone(new Own(first as OwnTransaction, true), mode);
    host.alone = true;
    // The connection that comes too late is given back.
    started.then((trx) => new Own(trx).rollback()).catch(() => {});
    throw insideTransaction();
  }

  /**
   * On SQLite, makes sure that the write lock can be had, without keeping the event loop waiting.
   */
  async #alone(own: Own, mode: Mode): Promise<Own> {
    if (this.#dialect === 'postgres' || mode !== 'own') return own;
    const end = Date.now() + SQLITE_PATIENCE;
    try {
      await impatient(own.db, async () => {
        while (!(await this.#locks(own, end))) await wait(10);
      });
      return own;
    } catch (error) {
      await own.rollback();
      throw isBusy(error) ? insideTransaction(error) : error;
    }
  }

  /** Whether a transaction has the write lock; fails if it has not at this time. */
  async #locks(own: Own, end: number): Promise<boolean> {
    try {
      await tell(own.db, this.#dialect, TAKE_WRITE_LOCK);
      return true;
    } catch (error) {
      if (!isBusy(error) || Date.now() > end) throw error;
      return false;
    }
  }

  async #started(db: AnyKysely, mode: Mode): Promise<OwnTransaction> {
    const reads = mode === 'read' || mode === 'beside';
    if (this.#dialect === 'sqlite') return db.startTransaction().execute();
    const begin = db
      .startTransaction()
      .setIsolationLevel(reads ? 'repeatable read' : 'read committed');
    return (reads ? begin.setAccessMode('read only') : begin).execute();
  }

  #firstStatements(ending: Ending, mode: Mode): string[] {
    if (mode === 'read' || mode === 'beside') return [];
    if (this.#dialect === 'sqlite') return [TAKE_WRITE_LOCK, OVERWRITE_DELETED];
    return ending.besideHost ? [LIMIT_WAITING] : [];
  }

  /**
   * Reads outside of the host's transaction if possible: on SQLite a snapshot begins by reading.
   */
  async #reading<T>(read: (db: AnyKysely) => Promise<T>): Promise<T> {
    const host = this.#host();
    if (host === undefined) return read(this.#db);
    if (this.#beside !== undefined && this.#beside !== this.#db) return read(this.#beside);
    return this.#inside(read);
  }

  /** Reads by the host's transaction if there is one. */
  async #inside<T>(read: (db: AnyKysely) => Promise<T>): Promise<T> {
    const host = this.#host();
    if (host === undefined) return read(this.#db);
    const turnEnds = await host.take();
    try {
      return await read(host.trx);
    } finally {
      turnEnds();
    }
  }

  #host(): HostTransaction | undefined {
    return this.#hosts.getStore();
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the host's tables are
type OwnTransaction = ControlledTransaction<any>;

function insideTransaction(cause?: unknown): Failure {
  return new Failure('inside_transaction', KEEPS_LOCKED, cause);
}
