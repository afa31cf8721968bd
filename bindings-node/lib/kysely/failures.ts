/** The databases' errors in the terms of the storage contract. */

/** An error of the contract: the library reads its `code`. */
export class Failure extends Error {
  constructor(
    readonly code: 'aborted' | 'outcome_unknown' | 'inside_transaction' | 'configuration',
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KyselyStorageError';
  }
}

// lock_not_available: the server gave up waiting for a lock.
const LOCK_TIMED_OUT = '55P03';
// serialization_failure, deadlock_detected
const CONCURRENT = new Set(['40001', '40P01', LOCK_TIMED_OUT]);
// numeric_value_out_of_range
const OUT_OF_RANGE = '22003';
const UNIQUE_VIOLATION = '23505';
// The errors of COMMIT that mean that nothing was committed: the classes transaction rollback and
// integrity constraint violation, a transaction that had failed before, and a lock timeout.
const ROLLED_BACK_CLASSES = new Set(['23', '40']);
const ROLLED_BACK = new Set(['25P02', LOCK_TIMED_OUT]);
// statement_completion_unknown, which is in one of the classes
const UNKNOWN = '40003';

/** The code of a driver's error: a SQLSTATE of PostgreSQL, or a name like SQLITE_BUSY. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** Whether an error is of one of SQLite's primary codes; there are also extended ones. */
function isOfSqlite(error: unknown, name: string, number: number): boolean {
  const code = codeOf(error);
  if (code === name || code.startsWith(`${name}_`)) return true;
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' && (errcode & 0xff) === number;
}

/** Whether SQLite's file is locked by somebody else. */
export function isBusy(error: unknown): boolean {
  return isOfSqlite(error, 'SQLITE_BUSY', 5) || isOfSqlite(error, 'SQLITE_LOCKED', 6);
}

/** Whether PostgreSQL gave up waiting for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === LOCK_TIMED_OUT;
}

/** Whether a concurrent transaction caused the error. */
export function isConcurrent(error: unknown): boolean {
  return CONCURRENT.has(codeOf(error)) || isBusy(error);
}

/**
 * Whether a number is out of the range of its column; SQLite's columns refuse a sum that is no
 * integer.
 */
export function isOverflow(error: unknown): boolean {
  return codeOf(error) === OUT_OF_RANGE || codeOf(error) === 'SQLITE_CONSTRAINT_DATATYPE';
}

/** Whether another row has the value of a unique index. */
export function isTaken(error: unknown): boolean {
  if (codeOf(error) === UNIQUE_VIOLATION) return true;
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return codeOf(error) === 'SQLITE_CONSTRAINT_UNIQUE' || errcode === 2067;
}

/**
 * Whether this error of COMMIT means that nothing was committed. Only few do: others, such as a
 * lost connection, may come after everything was committed.
 */
export function isRolledBack(error: unknown): boolean {
  // Kysely's own error: the server has answered COMMIT with ROLLBACK.
  if ((error as { name?: unknown } | null)?.name === 'AbortedTransactionError') return true;
  if (isConcurrent(error) || isOfSqlite(error, 'SQLITE_CONSTRAINT', 19)) return true;
  const code = codeOf(error);
  if (code === UNKNOWN) return false;
  return ROLLED_BACK.has(code) || (code.length === 5 && ROLLED_BACK_CLASSES.has(code.slice(0, 2)));
}

/** An error that a concurrent transaction causes makes the library run its transaction again. */
export function translated(error: unknown): unknown {
  if (!isConcurrent(error)) return error;
  return new Failure('aborted', 'a concurrent transaction was in the way', error);
}
