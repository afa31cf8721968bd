/** The migrations of the tables, and how they are run. */

import { setTimeout as wait } from 'node:timers/promises';

import { configurationError } from '../errors';
import { named } from '../given';
import { schemaVersion } from '../storage';
import {
  dialectFor,
  dialectOf,
  kysely,
  ofTables,
  run,
  tell,
  unfit,
  type AnyKysely,
} from './database';
import { isBusy } from './failures';
import { initial } from './initial';
import { metering } from './metering';
import { impatient } from './scrub';
import { type KyselyDatabase } from './shape';
import { type DialectName } from './sql';
import { storedVersion, VERSION } from './version';

/** What brings the tables from one version to the next. */
interface Step {
  /** Its name among the migrations of the host. */
  readonly name: string;
  /** The version of the tables that it makes. */
  readonly version: number;
  /** Its statements. */
  readonly statements: (dialect: DialectName) => readonly string[];
}

/** Makes the tables of this release in a database that has none. */
const first: Step = {
  name: 'partnerkit_001_initial',
  version: schemaVersion,
  statements: initial,
};

/** What brings along the tables of earlier releases. */
const later: readonly Step[] = [
  { name: 'partnerkit_002_metering', version: 3, statements: metering },
];

// How many milliseconds a process waits for another one that migrates, which may have much to bring
// along, and how many it pauses before it looks again.
const [PATIENCE, PAUSE] = [600_000, 20];
// Any number will do, as long as nobody else locks it.
const LOCK = 'SELECT pg_advisory_xact_lock(7823460911)';

/**
 * Makes the library's tables, whose names begin with `partnerkit_`, or brings them to the version
 * of this release. It is safe from several processes at once, and does nothing if there is nothing
 * to do.
 *
 * To bring along a large database of an earlier release takes a while: about a second for each
 * megabyte of its rollups. Other processes that migrate it wait meanwhile; on SQLite they fail after
 * ten minutes, and whoever else writes to the file waits as long as its `busy_timeout` says.
 *
 * A SQLite database has to be in UTF-8, as it is by default: another one is refused with
 * `ConfigurationError`.
 *
 * @example
 * ```ts
 * import { migrate } from 'partnerkit/kysely';
 *
 * await migrate(db); // when the program is deployed, or when it starts
 * const made = await db.introspection.getTables();
 * assert.ok(made.some(({ name }) => name === 'partnerkit_resellers'));
 * ```
 */
export async function migrate(
  database: KyselyDatabase,
  options: { readonly dialect?: DialectName | undefined } = {},
): Promise<void> {
  const db = ofTables(database);
  const dialect = dialectFor(db, named('options', options, ['dialect']).dialect);
  if (dialect === 'postgres') {
    await db.transaction().execute(async (trx) => {
      await tell(trx, dialect, LOCK);
      await missing(trx, dialect);
    });
    return;
  }
  await db.connection().execute(async (connection) => {
    await begin(connection);
    try {
      await missing(connection, dialect);
      await tell(connection, dialect, 'COMMIT');
    } catch (error) {
      await tell(connection, dialect, 'ROLLBACK').catch(() => {});
      throw error;
    }
  });
}

/** Waits for another process that migrates the file, without keeping the event loop waiting. */
async function begin(connection: AnyKysely): Promise<void> {
  const end = Date.now() + PATIENCE;
  await impatient(connection, async () => {
    while (!(await begins(connection, end))) await wait(PAUSE);
  });
}

/** Whether the transaction begins; fails if it does not at this time. */
async function begins(connection: AnyKysely, end: number): Promise<boolean> {
  try {
    await tell(connection, 'sqlite', 'BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if (!isBusy(error) || Date.now() > end) throw error;
    return false;
  }
}

/** Runs the steps that the tables lack. */
async function missing(db: AnyKysely, dialect: DialectName): Promise<void> {
  for (const step of [first, ...later]) await takeIfMissing(db, dialect, step);
}

async function takeIfMissing(db: AnyKysely, dialect: DialectName, step: Step): Promise<void> {
  const why = await unfit(db, dialect);
  if (why !== undefined) throw configurationError(why);
  const version = await storedVersion(db, dialect);
  const lacks = step === first ? version === 0 : version < step.version;
  if (lacks) await take(db, dialect, step);
}

async function take(db: AnyKysely, dialect: DialectName, step: Step): Promise<void> {
  for (const statement of step.statements(dialect)) await tell(db, dialect, statement);
  await run(db, dialect, {
    text: `UPDATE ${VERSION} SET version = ?`,
    values: [BigInt(step.version)],
  });
}

/**
 * The same migrations for Kysely's own `Migrator`, if you want them among yours. Their names begin
 * with `partnerkit_`.
 *
 * @example
 * ```ts
 * import { Migrator } from 'kysely';
 * import { migrations } from 'partnerkit/kysely';
 *
 * const mine = {}; // your own migrations, by name
 * const provider = { getMigrations: async () => ({ ...mine, ...migrations }) };
 * const migrator = new Migrator({ db, provider, allowUnorderedMigrations: true });
 * const { error } = await migrator.migrateToLatest();
 * assert.equal(error, undefined);
 * ```
 */
export const migrations: Readonly<Record<string, KyselyMigration>> = Object.fromEntries(
  [first, ...later].map((step) => {
    const up = async (db: KyselyDatabase) =>
      takeIfMissing(ofTables(db), dialectOf(kysely(db)), step);
    return [step.name, { up }];
  }),
);

/** A migration for Kysely's own `Migrator`. */
export interface KyselyMigration {
  /** Makes the change; there is no way back. */
  up(db: KyselyDatabase): Promise<void>;
}
