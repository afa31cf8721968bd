/** A Kysely instance or transaction, and which database it is of. */

import { statSync } from 'node:fs';
import { types } from 'node:util';

import { CompiledQuery, type Kysely, type QueryResult } from 'kysely';

import { configurationError } from '../errors';
import { type Column, type ColumnValue, type Row } from '../storage';
import { type DialectName, nameOf, type Sql } from './sql';

const { isAnyArrayBuffer, isUint8Array } = types;

/** Any Kysely instance or transaction: whatever tables of the host's it knows. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the host's tables are
export type AnyKysely = Kysely<any>;

type Results = QueryResult<Record<string, unknown>>;

/** A Kysely instance or transaction of the host's. */
export function kysely(db: object): AnyKysely {
  return db as AnyKysely;
}

/**
 * A Kysely instance in whose database the tables are. Statements have no names of schemas in them:
 * the tables are where the connection looks for them.
 */
export function ofTables(db: object): AnyKysely {
  const query = kysely(db).selectFrom('partnerkit_schema').selectAll().compile();
  if (!query.sql.includes('"."')) return kysely(db);
  throw configurationError(
    'this Kysely instance has a schema (`withSchema`), which PartnerKit does not use: give an ' +
      "instance without it, whose connections have the schema in PostgreSQL's `search_path`",
  );
}

/** The dialect that was given, or that of the instance. */
export function dialectFor(db: AnyKysely, given: DialectName | undefined): DialectName {
  if (given === undefined) return dialectOf(db);
  if ((['postgres', 'sqlite'] as unknown[]).includes(given)) return given;
  throw new TypeError("dialect: expected 'postgres' or 'sqlite'");
}

/** Which database a Kysely instance is of, by the class of its adapter. */
export function dialectOf(db: AnyKysely): DialectName {
  // The class is not compared: a program may have loaded Kysely twice, as CommonJS and as ESM.
  let prototype: unknown = Object.getPrototypeOf(db.getExecutor().adapter);
  while (prototype !== null) {
    const { name } = (prototype as object).constructor;
    if (name === 'PostgresAdapter') return 'postgres';
    if (name === 'SqliteAdapter') return 'sqlite';
    prototype = Object.getPrototypeOf(prototype);
  }
  throw new Error(
    'partnerkit: this Kysely instance is of neither PostgreSQL nor SQLite; if it is, say which ' +
      'one by the option `dialect`',
  );
}

/**
 * Runs a statement, without the plugins of the host's, which may rename columns or convert values.
 */
export function run(db: AnyKysely, dialect: DialectName, { text, values }: Sql): Promise<Results> {
  let number = 0;
  const postgres = dialect === 'postgres';
  const numbered = postgres ? text.replaceAll('?', () => `$${(number += 1)}`) : text;
  const parameters = values.map(postgres ? postgresParameter : sqliteParameter);
  return db
    .withoutPlugins()
    .executeQuery<Record<string, unknown>>(CompiledQuery.raw(numbered, parameters));
}

/** Runs a statement that has no values. */
export function tell(db: AnyKysely, dialect: DialectName, text: string): Promise<Results> {
  return run(db, dialect, { text, values: [] });
}

function bytesOf(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function postgresParameter(value: ColumnValue): unknown {
  if (typeof value === 'bigint') return value.toString();
  return isUint8Array(value) ? bytesOf(value) : value;
}

function sqliteParameter(value: ColumnValue): unknown {
  return isUint8Array(value) ? bytesOf(value) : value;
}

/**
 * Why the tables cannot be in a database, if they cannot. In UTF-16, SQLite orders texts otherwise, and
 * makes other bytes of them.
 */
export async function unfit(db: AnyKysely, dialect: DialectName): Promise<string | undefined> {
  if (dialect === 'postgres') return undefined;
  const { rows } = await tell(db, dialect, 'PRAGMA encoding');
  const encoding = String(rows[0]?.['encoding']);
  if (encoding === 'UTF-8') return undefined;
  return `the encoding of this SQLite database is ${encoding}; PartnerKit needs UTF-8`;
}

/** What tells a database from every other one; undefined for one in memory. */
export async function identityOf(db: AnyKysely, dialect: DialectName): Promise<string | undefined> {
  if (dialect === 'sqlite') {
    const { rows } = await tell(db, dialect, 'PRAGMA database_list');
    const main = rows.find(({ name }) => name === 'main');
    const file = main?.['file'];
    if (typeof file !== 'string' || file === '') return undefined;
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev} ${ino}`;
  }
  const table = nameOf({ name: 'schema' });
  const started = 'extract(epoch FROM pg_postmaster_start_time())';
  const of = `current_database(), ${started}, to_regclass('${table}')::oid`;
  const { rows } = await tell(db, dialect, `SELECT concat_ws(' ', ${of}) AS identity`);
  return String(rows[0]?.['identity']);
}

/** A row of results in the types of the contract. */
export function rowOf(columns: readonly Column[], result: Record<string, unknown>): Row {
  return columns.map(({ name, kind }) => valueOf(kind, result[name]));
}

function valueOf(kind: Column['kind'], value: unknown): ColumnValue {
  if (value === null || value === undefined) return null;
  if (kind === 'integer') return BigInt(value as string | number | bigint);
  if (kind === 'bytes' && isAnyArrayBuffer(value)) return new Uint8Array(value);
  return value as ColumnValue;
}

/** Values as one text, by which a map finds them. */
export function textOf(values: Row): string {
  const text = (value: ColumnValue) => {
    if (value === null) return '';
    if (isUint8Array(value)) return `b${bytesOf(value).toString('hex')}`;
    return `${typeof value}${value}`;
  };
  return values.map(text).join('\0');
}
