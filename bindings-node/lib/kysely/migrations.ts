/** The migrations of the tables, and how they are run. */

import { type Migration } from 'kysely';

import { dialectOf, run, tell, type AnyKysely } from './database';
import { initial } from './initial';
import { type DialectName, nameOf } from './sql';

/** What brings the tables from one version to the next. */
interface Step {
  /** Its name among the migrations of the host. */
  readonly name: string;
  /** The version of the tables that it makes. */
  readonly version: number;
  /** Its statements. */
  readonly statements: (dialect: DialectName) => readonly string[];
}

const steps: readonly Step[] = [
  { name: 'partnerkit_001_initial', version: 2, statements: initial },
];

const VERSION = nameOf({ name: 'schema' });
// Any number will do, as long as nobody else locks it.
const LOCK = 'SELECT pg_advisory_xact_lock(7823460911)';

/**
 * Makes the library's tables, whose names begin with `partnerkit_`, or brings them to the version of
 * this release. It is safe from several processes at once, and does nothing if there is nothing to do.
 *
 * ```ts
 * await migrate(db); // when the program is deployed, or when it starts
 * ```
 */
export async function migrate(
  db: AnyKysely,
  options: { readonly dialect?: DialectName | undefined } = {},
): Promise<void> {
  const dialect = options.dialect ?? dialectOf(db);
  if (dialect === 'postgres') {
    await db.transaction().execute(async (trx) => {
      await tell(trx, dialect, LOCK);
      await missing(trx, dialect);
    });
    return;
  }
  await db.connection().execute(async (connection) => {
    await tell(connection, dialect, 'BEGIN IMMEDIATE');
    try {
      await missing(connection, dialect);
      await tell(connection, dialect, 'COMMIT');
    } catch (error) {
      await tell(connection, dialect, 'ROLLBACK').catch(() => {});
      throw error;
    }
  });
}

/** Runs the steps that the tables lack. */
async function missing(db: AnyKysely, dialect: DialectName): Promise<void> {
  const version = await storedVersion(db, dialect);
  for (const step of steps.filter((step) => step.version > version)) await take(db, dialect, step);
}

async function take(db: AnyKysely, dialect: DialectName, step: Step): Promise<void> {
  for (const statement of step.statements(dialect)) await tell(db, dialect, statement);
  await run(db, dialect, {
    text: `UPDATE ${VERSION} SET version = ?`,
    values: [BigInt(step.version)],
  });
}

/**
 * The same migrations for Kysely's own `Migrator`, if you want them among yours. Their names begin with
 * `partnerkit_`.
 *
 * ```ts
 * const provider = {
 *   getMigrations: async () => ({ ...(await mine.getMigrations()), ...migrations }),
 * };
 * await new Migrator({ db, provider, allowUnorderedMigrations: true }).migrateToLatest();
 * ```
 */
export const migrations: Readonly<Record<string, Migration>> = Object.fromEntries(
  steps.map((step) => [step.name, { up: (db: AnyKysely) => take(db, dialectOf(db), step) }]),
);

/** The version of the tables that are there, or 0. */
export async function storedVersion(db: AnyKysely, dialect: DialectName): Promise<number> {
  const table = VERSION.replaceAll('"', '');
  // A statement on a table that is not there would spoil a transaction of PostgreSQL.
  const there = await tell(
    db,
    dialect,
    dialect === 'postgres'
      ? `SELECT 1 AS found WHERE to_regclass('${table}') IS NOT NULL`
      : `SELECT 1 AS found FROM sqlite_master WHERE name = '${table}'`,
  );
  if (there.rows.length === 0) return 0;
  const { rows } = await tell(db, dialect, `SELECT version FROM ${VERSION}`);
  return Number(rows[0]?.['version'] ?? 0);
}
