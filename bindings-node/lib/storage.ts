/** Stores of the host's own: the contract between the library and a database. */

import { inContext, keepContexts } from './calls';
import { configurationError } from './errors';
import { promised } from './given';
import { native, type Dispatcher } from './native';

/** A value of a column; UUIDs are texts, integers are `bigint`s. */
export type ColumnValue = bigint | string | Uint8Array | null;

/** A row, in the order of its table's columns. */
export type Row = readonly ColumnValue[];

/** A column of a table. */
export interface Column {
  readonly name: string;
  readonly kind: 'integer' | 'text' | 'bytes' | 'uuid';
  readonly nullable: boolean;
}

/** An index of a table. */
export interface Index {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}

/** A table that every storage keeps. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  readonly indexes: readonly Index[];
}

/** How a question locks the rows that it finds, as in PostgreSQL. */
export type Lock = 'key_share' | 'share' | 'no_key_update' | 'update';

/** One end of a range. */
export interface Bound {
  readonly values: Row;
  readonly inclusive: boolean;
}

/**
 * Rows in the order of `columns`. The first of these columns equal `equals`; the others are between
 * the two ends of `range`. A row with a null among the columns that a bound names is not in range.
 */
export interface Scan {
  readonly table: Table;
  readonly columns: readonly string[];
  readonly equals: Row;
  readonly range: readonly [from: Bound | null, to: Bound | null];
  readonly reverse: boolean;
  readonly limit: number;
  readonly lock: Lock | null;
}

/** What must be true of a row of the table `resellers`. */
export interface Filter {
  readonly agency: string;
  /** Each occurs in the column `search_text`; all characters are literal. */
  readonly terms: readonly string[];
  readonly conditions: readonly {
    readonly column: string;
    readonly what: 'slug' | 'at_least' | 'below';
    readonly value: ColumnValue;
  }[];
}

/** A question, and what answers it. */
export type Question =
  /** For each key its row or null, by the columns `by`. */
  | {
      readonly verb: 'get';
      readonly table: Table;
      readonly by: readonly string[];
      readonly keys: readonly Row[];
      readonly lock: Lock | null;
    }
  /** Rows. */
  | ({ readonly verb: 'scan' } & Scan)
  /** Rows of the table `resellers`, by the column `order` and then `id`, after a place. */
  | {
      readonly verb: 'page';
      readonly filter: Filter;
      readonly order: string;
      readonly descending: boolean;
      readonly after: readonly [value: ColumnValue, id: string] | null;
      readonly limit: number;
    }
  /** How many resellers there are, at most `cap`: a `bigint`. */
  | { readonly verb: 'count'; readonly filter: Filter; readonly cap: bigint }
  /**
   * For each row `true`, or the row that has its key already, locked, or `false` where a unique index
   * has its value.
   */
  | {
      readonly verb: 'insert';
      readonly table: Table;
      readonly rows: readonly Row[];
      readonly lock: Lock | null;
    }
  /** For each row whether it is stored, and no unique index is in the way. */
  | { readonly verb: 'update'; readonly table: Table; readonly rows: readonly Row[] }
  /** How many rows were removed, all of them as they were once they were locked: a `bigint`. */
  | ({ readonly verb: 'remove' } & Scan);

/** A write, which has no answer. */
export type Write =
  /** Stores each row, whether its key is there or not. */
  | { readonly verb: 'put'; readonly table: Table; readonly rows: readonly Row[] }
  /** Adds the columns of each row that are not in its key to those that are there, or to 0. */
  | { readonly verb: 'add'; readonly table: Table; readonly rows: readonly Row[] }
  /** Deletes rows by their keys. */
  | { readonly verb: 'delete'; readonly table: Table; readonly keys: readonly Row[] };

/** The answer to a question. */
export type Answer =
  readonly (Row | null)[] | readonly (Row | boolean)[] | readonly boolean[] | bigint;

/** What a transaction is for. */
export type Mode =
  /** Reading from one snapshot, as part of the host's transaction if there is one. */
  | 'read'
  /** Reading what is committed, beside the host's transaction; if that is impossible, as part of it. */
  | 'beside'
  /** Writing, in a transaction of its own, which is durable when `commit` returns. */
  | 'own'
  /** Writing, as part of the host's transaction if there is one. */
  | 'join';

/**
 * A store of the host's own. An error whose `code` is `aborted` makes the library run the transaction
 * again; `outcome_unknown` says that nobody knows whether a commit has happened.
 */
export interface TableStore {
  /** The version of the tables, which the host migrates; those of this release have {@link schemaVersion}. */
  schemaVersion(): Promise<number>;
  /** Begins a transaction. */
  begin(agency: string, mode: Mode): Promise<TableTransaction>;
  /** Whether `join` would now be part of a transaction of the host's; never, unless it is there. */
  joined?(): boolean | Promise<boolean>;
  /**
   * Makes sure that deleted data can no longer be read from the store's files, and says whether that
   * has been done; unless it is there, a database server keeps the files.
   */
  scrub?(): Promise<boolean>;
}

/** A transaction. It ends with `commit` or `rollback`, and is not used after that. */
export interface TableTransaction {
  /** Answers each question in turn. If one fails, all do. */
  ask(questions: readonly Question[]): Promise<readonly Answer[]>;
  /** Does each write in turn. */
  tell(writes: readonly Write[]): Promise<unknown>;
  /** Makes everything durable. */
  commit(): Promise<unknown>;
  /** Undoes everything. */
  rollback(): Promise<unknown>;
}

/** The options of a host's own store. */
export interface StorageOptions {
  /**
   * How many milliseconds each call of the storage may take, by default 5,000; after that the
   * operation fails, and a transaction that has begun too late is rolled back.
   */
  readonly deadline?: number | undefined;
}

/** How many milliseconds a call of a storage may take, or why that cannot be. */
export function checkedDeadline(deadline: number): number {
  if (Number.isInteger(deadline) && deadline >= 1 && deadline < 2 ** 31) return deadline;
  throw configurationError('deadline: expected whole milliseconds, from 1 to 2147483647');
}

/** The tables that every storage keeps, as data. */
export const tables = native.schema() as readonly Table[];

/** The version of these tables. */
export const schemaVersion: number = native.schemaVersion();

const byName = new Map(tables.map((table) => [table.name, table]));

/** Questions and writes name their tables; a storage gets the tables themselves. */
function withTables(parts: unknown): void {
  for (const part of parts as { table?: unknown }[]) {
    if (typeof part.table === 'string') part.table = byName.get(part.table);
  }
}

/** The open transactions of a storage, by number. */
export class Transactions {
  readonly #open = new Map<bigint, TableTransaction>();
  #last = 0n;

  /** Calls a method of a store. */
  ofStore(store: TableStore, method: string, args: unknown[]): unknown {
    if (method === 'begin') {
      const begun: unknown = store.begin(...(args as [string, Mode]));
      // What is no promise is no transaction: the library reports it.
      return promised(begun)?.then((it) => this.#add(it as TableTransaction)) ?? begun;
    }
    if (method === 'joined') return Promise.resolve(store.joined?.() ?? false);
    if (method === 'scrub') return Promise.resolve(store.scrub?.() ?? true);
    return store.schemaVersion();
  }

  /** Calls a method of an open transaction. One that has ended is forgotten. */
  ofTransaction(id: bigint, method: string, args: unknown[]): unknown {
    const transaction = this.#open.get(id);
    if (transaction === undefined) throw new Error('the transaction has ended');
    if (method === 'commit') {
      this.#open.delete(id);
      return transaction.commit();
    }
    if (method === 'rollback') {
      this.#open.delete(id);
      return transaction.rollback();
    }
    withTables(args[0]);
    if (method === 'ask') return transaction.ask(args[0] as Question[]);
    return transaction.tell(args[0] as Write[]);
  }

  #add(transaction: TableTransaction): bigint {
    this.#last += 1n;
    this.#open.set(this.#last, transaction);
    return this.#last;
  }
}

/** Through which the native module calls one storage. */
export function storageDispatcher(store: TableStore): Dispatcher {
  keepContexts(store);
  const transactions = new Transactions();
  return (call, object, method, args) => {
    const answer = inContext(call, () =>
      object === null
        ? transactions.ofStore(store, method, args)
        : transactions.ofTransaction(object, method, args),
    );
    return promised(answer) ?? (answer as Promise<never>);
  };
}
