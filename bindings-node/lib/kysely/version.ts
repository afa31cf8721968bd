/** The version of the tables in a database, which the migrations write there. */

import { tell, type AnyKysely } from './database';
import { type DialectName, nameOf } from './sql';

/** The table that has it. */
export const VERSION = nameOf({ name: 'schema' });

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
