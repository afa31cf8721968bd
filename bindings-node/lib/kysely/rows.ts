/** A transaction on rows, over Kysely. */

import {
  type Answer,
  type Column,
  type Question,
  type Row,
  type Table,
  type TableTransaction,
  type Write,
} from '../storage';
import { rowOf, run, textOf } from './database';
import { type Ending } from './endings';
import { Failure, isBusy, isLockTimeout, isOverflow, isTaken, translated } from './failures';
import { chunks, columnsOf, RESELLERS, type DialectName, type Sql, Statements } from './sql';

/** What a savepoint around an update is called. */
const UPDATE = 'partnerkit_update';

/** The key of a row, as a text. */
function keyOf(table: Table, by: readonly string[]): (row: Row) => string {
  const places = by.map((name) => table.columns.findIndex((column) => column.name === name));
  return (row) => textOf(places.map((place) => row[place] ?? null));
}

/** A transaction of `KyselyStorage`; its `ending` commits it or rolls it back. */
export class KyselyTransaction implements TableTransaction {
  readonly #ending: Ending;
  readonly #dialect: DialectName;
  readonly #statements: Statements;
  /** What is being done; the end waits for it. */
  #doing: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(ending: Ending, dialect: DialectName) {
    this.#ending = ending;
    this.#dialect = dialect;
    this.#statements = new Statements(dialect);
  }

  ask(questions: readonly Question[]): Promise<readonly Answer[]> {
    return this.#do(async () => {
      const answers: Answer[] = [];
      for (const question of questions) answers.push(await this.#answer(question));
      return answers;
    });
  }

  tell(writes: readonly Write[]): Promise<void> {
    return this.#do(async () => {
      for (const write of writes) await this.#write(write);
    });
  }

  commit(): Promise<void> {
    return this.#end(() => this.#ending.commit());
  }

  rollback(): Promise<void> {
    return this.#end(() => this.#ending.rollback());
  }

  #do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#doing.then(work);
    this.#doing = done.catch(() => {});
    return done;
  }

  /** Whoever does not wait for an answer any more may end the transaction meanwhile. */
  async #end(end: () => Promise<void>): Promise<void> {
    this.#ended = true;
    await this.#doing;
    await end();
  }

  #answer(question: Question): Promise<Answer> {
    const statements = this.#statements;
    switch (question.verb) {
      case 'get':
        return this.#get(question);
      case 'scan':
        return this.#rows(question.table.columns, statements.scan(question));
      case 'page':
        return this.#rows(RESELLERS.columns, statements.page(question));
      case 'count':
        return this.#count(statements.count(question.filter, question.cap));
      case 'insert':
        return this.#insert(question);
      case 'update':
        return this.#update(question.table, question.rows);
      case 'remove':
        return this.#affected(statements.remove(question));
    }
  }

  async #write(write: Write): Promise<void> {
    const { table } = write;
    if (write.verb === 'delete') {
      for (const keys of chunks(write.keys)) await this.#run(this.#statements.delete(table, keys));
    } else if (write.verb === 'put') {
      // One statement may not store a row twice.
      const key = keyOf(table, table.key);
      const rows = [...new Map(write.rows.map((row) => [key(row), row])).values()];
      for (const some of chunks(rows)) await this.#run(this.#statements.put(table, some));
    } else {
      for (const rows of chunks(summed(table, write.rows))) await this.#add(table, rows);
    }
  }

  async #get({ table, by, keys, lock }: Extract<Question, { verb: 'get' }>) {
    const key = keyOf(table, by);
    const found = new Map<string, Row>();
    for (const some of chunks(keys)) {
      const rows = await this.#rows(table.columns, this.#statements.get(table, by, some, lock));
      for (const row of rows) found.set(key(row), row);
    }
    return keys.map((wanted) => found.get(textOf(wanted)) ?? null);
  }

  async #count(statement: Sql): Promise<bigint> {
    const { rows } = await this.#run(statement);
    return BigInt(rows[0]?.['n'] as string);
  }

  async #insert({ table, rows, lock }: Extract<Question, { verb: 'insert' }>) {
    const inserted = new Set<string>();
    const columns = columnsOf(table, table.key);
    for (const some of chunks(rows)) {
      const keys = await this.#rows(columns, this.#statements.insert(table, some));
      for (const key of keys) inserted.add(textOf(key));
    }
    const key = keyOf(table, table.key);
    // Of two rows with one key, only the first was inserted.
    const done = rows.map((row) => inserted.delete(key(row)));
    if (!done.includes(false)) return done;
    return this.#existing(table, rows, done, lock);
  }

  /** The answer to an insert, with the rows that are there for those that were not inserted. */
  async #existing(
    table: Table,
    rows: readonly Row[],
    done: readonly boolean[],
    lock: Extract<Question, { verb: 'insert' }>['lock'],
  ): Promise<(Row | boolean)[]> {
    const places = columnsOf(table, table.key).map((column) => table.columns.indexOf(column));
    const refused = rows.filter((_, i) => !done[i]);
    const keys = refused.map((row) => places.map((place) => row[place] ?? null));
    const there = await this.#get({ verb: 'get', table, by: table.key, keys, lock });
    return done.map((it) => it || (there.shift() ?? false));
  }

  /**
   * All rows by one statement, if no unique index is in the way; otherwise row by row, to learn of
   * which.
   */
  async #update(table: Table, rows: readonly Row[]): Promise<boolean[]> {
    const every = [...chunks(rows)];
    for (const some of every) {
      if (await this.#updated(table, some)) continue;
      if (rows.length === 1) return [false];
      // What was stored before is stored again.
      const stored: boolean[] = [];
      for (const row of rows) stored.push(await this.#updated(table, [row]));
      return stored;
    }
    return rows.map(() => true);
  }

  /** Whether rows were stored: all of them, or none if a unique index is in the way of one. */
  async #updated(table: Table, rows: readonly Row[]): Promise<boolean> {
    const statement = this.#statements.update(table, rows);
    const conflicts = table.indexes.some((index) => index.unique);
    let updated: bigint;
    // An error spoils a transaction of PostgreSQL, unless there is a savepoint.
    const savepoint = conflicts && this.#dialect === 'postgres';
    try {
      if (savepoint) await this.#savepoint('SAVEPOINT');
      updated = await this.#affected(statement);
      if (savepoint) await this.#savepoint('RELEASE SAVEPOINT');
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (savepoint) {
        await this.#savepoint('ROLLBACK TO SAVEPOINT');
        await this.#savepoint('RELEASE SAVEPOINT');
      }
      return false;
    }
    if (updated !== BigInt(rows.length)) throw new Error('a row to update is not there');
    return true;
  }

  async #savepoint(what: string): Promise<void> {
    await this.#run({ text: `${what} ${UPDATE}`, values: [] });
  }

  async #add(table: Table, rows: readonly Row[]): Promise<void> {
    try {
      await this.#run(this.#statements.add(table, rows));
    } catch (error) {
      if (!isOverflow(error)) throw error;
      throw new Failure('aborted', 'a total has no room left', error);
    }
  }

  /** The rows that a statement returns, in the types of the contract. */
  async #rows(columns: readonly Column[], statement: Sql): Promise<Row[]> {
    const { rows } = await this.#run(statement);
    return rows.map((row) => rowOf(columns, row));
  }

  async #affected(statement: Sql): Promise<bigint> {
    const { numAffectedRows } = await this.#run(statement);
    return numAffectedRows ?? 0n;
  }

  async #run(statement: Sql) {
    if (this.#ended) throw new Error('the transaction has ended');
    this.#ending.check();
    try {
      return await run(this.#ending.db, this.#dialect, statement);
    } catch (error) {
      if (this.#ending.besideHost && (isLockTimeout(error) || isBusy(error))) {
        throw new Failure('inside_transaction', KEEPS_LOCKED, error);
      }
      throw translated(error);
    }
  }
}

/** Why a transaction beside the host's cannot go on. */
export const KEEPS_LOCKED =
  "the host's own transaction, or another one, keeps something locked for too long";

/** The sum of two numbers of 64 bits. */
function added(one: unknown, other: unknown): bigint {
  const sum = (one as bigint) + (other as bigint);
  if (BigInt.asIntN(64, sum) !== sum) throw new Failure('aborted', 'a total has no room left');
  return sum;
}

/** Rows to add, one for each key: one statement may not change a row twice. */
function summed(table: Table, rows: readonly Row[]): Row[] {
  const key = keyOf(table, table.key);
  const sums = new Map<string, Row>();
  for (const row of rows) {
    const before = sums.get(key(row));
    const sum = (column: Column, place: number) => {
      const value = row[place] ?? null;
      return before === undefined || table.key.includes(column.name)
        ? value
        : added(before[place], value);
    };
    sums.set(key(row), table.columns.map(sum));
  }
  return [...sums.values()];
}
