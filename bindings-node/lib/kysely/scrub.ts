/** Removes deleted data from SQLite's journal, and how not to wait for it. */

import { existsSync } from 'node:fs';

import { tell, type AnyKysely } from './database';

/**
 * Tries to empty the journal, and says whether it has no pages any more. A deleted row is
 * overwritten in the database itself, because of `secure_delete`, which every writing transaction
 * turns on.
 */
export function scrub(db: AnyKysely): Promise<boolean> {
  // This does not wait for readers: the next upkeep will try again.
  return db
    .connection()
    .execute((connection) => impatient(connection, () => emptyJournal(connection)));
}

/** Runs statements of SQLite that fail at once where they would wait for a lock. */
export async function impatient<T>(connection: AnyKysely, work: () => Promise<T>): Promise<T> {
  const patience = await value(connection, 'PRAGMA busy_timeout', 'timeout');
  await tell(connection, 'sqlite', 'PRAGMA busy_timeout = 0');
  try {
    return await work();
  } finally {
    await tell(connection, 'sqlite', `PRAGMA busy_timeout = ${Number(patience)}`);
  }
}

async function emptyJournal(db: AnyKysely): Promise<boolean> {
  const busy = await value(db, 'PRAGMA wal_checkpoint(TRUNCATE)', 'busy');
  if ((await value(db, 'PRAGMA journal_mode', 'journal_mode')) !== 'persist')
    return Number(busy) === 0;
  // In this mode, old pages stay in the journal after a transaction. Leaving the mode deletes the
  // file, unless somebody is in the way; SQLite does not report that, but the file is still there.
  await tell(db, 'sqlite', 'PRAGMA journal_mode = DELETE');
  await tell(db, 'sqlite', 'PRAGMA journal_mode = PERSIST');
  const { rows } = await tell(db, 'sqlite', 'PRAGMA database_list');
  const main = rows.find(({ name }) => name === 'main');
  return !existsSync(`${String(main?.['file'])}-journal`);
}

async function value(db: AnyKysely, pragma: string, name: string): Promise<unknown> {
  const { rows } = await tell(db, 'sqlite', pragma);
  return rows[0]?.[name];
}
