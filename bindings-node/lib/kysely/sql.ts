/** SQL for rows of the schema's tables, with the differences between PostgreSQL and SQLite. */

import {
  tables,
  type Bound,
  type Column,
  type ColumnValue,
  type Filter,
  type Lock,
  type Question,
  type Row,
  type Scan,
  type Table,
} from '../storage';

/** What the names of all tables begin with. */
export const PREFIX = 'partnerkit_';

/** Which SQL a database speaks. */
export type DialectName = 'postgres' | 'sqlite';

/**
 * A statement or a part of one. Its text has names of the schema, and a question mark for each
 * value; neither a name nor any other text contains a question mark.
 */
export interface Sql {
  readonly text: string;
  readonly values: readonly ColumnValue[];
}

// SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.
const PARAMETERS = 30_000;

const POSTGRES_TYPES = { integer: 'bigint', text: 'text', bytes: 'bytea', uuid: 'uuid' } as const;
const SIGNS = { slug: '=', at_least: '>=', below: '<' } as const;

/** A table by its name. */
export function tableOf(name: string): Table {
  const found = tables.find((table) => table.name === name);
  if (found === undefined) throw new Error(`there is no table ${name}`);
  return found;
}

export const RESELLERS = tableOf('resellers');

export function columnOf(table: Table, name: string): Column {
  const found = table.columns.find((column) => column.name === name);
  if (found === undefined) throw new Error(`there is no column ${name}`);
  return found;
}

/** The columns of the primary key, or of an index. */
export function columnsOf(table: Table, names: readonly string[]): Column[] {
  return names.map((name) => columnOf(table, name));
}

/** The rows in batches of as many as one statement takes. */
export function* chunks(rows: readonly Row[]): Generator<readonly Row[]> {
  const size = Math.floor(PARAMETERS / Math.max(rows[0]?.length ?? 1, 1));
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}

/** The statements of one kind of database. */
export class Statements {
  readonly #postgres: boolean;

  constructor(dialect: DialectName) {
    this.#postgres = dialect === 'postgres';
  }

  /** Rows by key, in the order of the key, which is the lock order. */
  get(table: Table, by: readonly string[], keys: readonly Row[], lock: Lock | null): Sql {
    const found = select(results(table.columns), table, [this.#any(table, by, keys)], by);
    return this.#locked(found, lock);
  }

  scan(scan: Scan): Sql {
    return this.#locked(inRange(results(scan.table.columns), scan), scan.lock);
  }

  page(spec: Extract<Question, { verb: 'page' }>): Sql {
    const order = [spec.order, 'id'];
    const found = this.#filtered(spec.filter);
    if (spec.after) found.push(compared(order, spec.descending ? '<' : '>', spec.after));
    const what = results(RESELLERS.columns);
    return select(what, RESELLERS, found, order, spec.descending, spec.limit);
  }

  count(filter: Filter, cap: bigint): Sql {
    const found = select('1', RESELLERS, this.#filtered(filter), [], false, cap);
    return { ...found, text: `SELECT CAST(count(*) AS text) AS n FROM (${found.text}) AS found` };
  }

  /** Inserts the rows that conflict with no other, and returns their keys. */
  insert(table: Table, rows: readonly Row[]): Sql {
    const key = results(columnsOf(table, table.key));
    return into(table, rows, `DO NOTHING RETURNING ${key}`);
  }

  put(table: Table, rows: readonly Row[]): Sql {
    const changes = valuesOf(table).map((name) => `${quoted(name)} = excluded.${quoted(name)}`);
    return into(table, rows, `(${names(table.key)}) DO UPDATE SET ${changes.join(', ')}`);
  }

  /**
   * Adds the columns that are not in the key to the stored ones. The columns of SQLite are strict:
   * no sum is rounded.
   */
  add(table: Table, rows: readonly Row[]): Sql {
    const sum = (name: string) => `${name} = ${nameOf(table)}.${name} + excluded.${name}`;
    const sums = valuesOf(table).map((name) => sum(quoted(name)));
    return into(table, rows, `(${names(table.key)}) DO UPDATE SET ${sums.join(', ')}`);
  }

  /** Replaces rows that are there. */
  update(table: Table, rows: readonly Row[]): Sql {
    const given = table.columns.map((_, place) => `c${place}`);
    const of = (name: string) => `given.c${table.columns.findIndex((it) => it.name === name)}`;
    const changes = valuesOf(table).map((name) => `${quoted(name)} = ${of(name)}`);
    const key = table.key.map((name) => `${nameOf(table)}.${quoted(name)} = ${of(name)}`);
    const set = `UPDATE ${nameOf(table)} SET ${changes.join(', ')}`;
    const from = this.#named(given, this.#listed(table.columns, rows));
    const text = `${set} FROM ${from} AS given WHERE ${key.join(' AND ')}`;
    return { text, values: rows.flat() };
  }

  delete(table: Table, keys: readonly Row[]): Sql {
    const these = where([this.#any(table, table.key, keys)]);
    return { ...these, text: `DELETE FROM ${nameOf(table)}${these.text}` };
  }

  /**
   * Removes the rows that a scan finds. It skips rows that others have locked, and checks a row
   * again once it is locked, because somebody may have changed it meanwhile.
   */
  remove(scan: Scan): Sql {
    const key = names(scan.table.key);
    const first = inRange(this.#postgres ? 'ctid' : key, scan);
    // The array is made once, while a subquery of IN may run again and find other rows.
    const text = this.#postgres
      ? `ctid = ANY(ARRAY(${first.text} FOR UPDATE SKIP LOCKED))`
      : `(${key}) IN (${first.text})`;
    const again = where([...ranges(scan), { text, values: first.values }]);
    return { ...again, text: `DELETE FROM ${nameOf(scan.table)}${again.text}` };
  }

  /** Locks what is found. On SQLite the only writer has locked everything already. */
  #locked(found: Sql, lock: Lock | null): Sql {
    if (lock === null || !this.#postgres) return found;
    return { ...found, text: `${found.text} FOR ${lock.replaceAll('_', ' ').toUpperCase()}` };
  }

  /** The condition for any of these keys. */
  #any(table: Table, by: readonly string[], keys: readonly Row[]): Sql {
    if (keys.length === 1) return compared(by, '=', keys[0] ?? []);
    const list = this.#listed(columnsOf(table, by), keys);
    return { text: `(${names(by)}) IN (${list})`, values: keys.flat() };
  }

  /** A list of rows. PostgreSQL would take the values for text if the first row had no types. */
  #listed(columns: readonly Column[], rows: readonly Row[]): string {
    const typed = columns.map(({ kind }) => `CAST(? AS ${POSTGRES_TYPES[kind]})`);
    const list = rows.map((row) => marks(row));
    if (this.#postgres) list[0] = `(${typed.join(', ')})`;
    return `VALUES ${list.join(', ')}`;
  }

  /** A list of rows whose columns have names. */
  #named(columns: readonly string[], list: string): string {
    // Both databases name the columns of a list so, until somebody gives other names.
    const renamed = columns.map((name, place) => `column${place + 1} AS ${name}`).join(', ');
    return `(SELECT ${renamed} FROM (${list}) AS list)`;
  }

  #filtered({ agency, terms, conditions }: Filter): Sql[] {
    return [
      compared(['agency'], '=', [agency]),
      ...terms.map((term) => this.#having(term)),
      ...conditions.map(({ column, what, value }) => compared([column], SIGNS[what], [value])),
    ];
  }

  /** The condition for a term, in which no character is a wildcard. */
  #having(term: string): Sql {
    // No stored text contains NUL, and PostgreSQL refuses it.
    if (term.includes('\0')) return { text: '1 = 0', values: [] };
    if (!this.#postgres) return { text: 'instr("search_text", ?) > 0', values: [term] };
    const pattern = `%${term.replace(/[\\%_]/g, '\\$&')}%`;
    return { text: '"search_text" LIKE ?', values: [pattern] };
  }
}

/** The rows of a scan, in its order. */
function inRange(what: string, scan: Scan): Sql {
  const order = scan.columns.slice(scan.equals.length);
  return select(what, scan.table, ranges(scan), order, scan.reverse, scan.limit);
}

/** The conditions of a scan, without its order and limit. */
function ranges({ columns, equals, range: [from, to] }: Scan): Sql[] {
  const found = equals.map((value, i) => compared(columns.slice(i, i + 1), '=', [value]));
  const end = (bound: Bound | null, sign: string) => {
    if (bound === null) return;
    const ordered = columns.slice(equals.length, equals.length + bound.values.length);
    found.push(compared(ordered, bound.inclusive ? `${sign}=` : sign, bound.values));
  };
  end(from, '>');
  end(to, '<');
  return found;
}

function select(
  what: string,
  table: Table,
  conditions: readonly Sql[],
  order: readonly string[] = [],
  descending = false,
  limit?: number | bigint,
): Sql {
  const these = where(conditions);
  const way = descending ? 'DESC' : 'ASC';
  // With the table's name, because a result may have the column's name.
  const by = order.map((column) => `${nameOf(table)}.${quoted(column)} ${way}`).join(', ');
  const text = `SELECT ${what} FROM ${nameOf(table)}${these.text}${by && ` ORDER BY ${by}`}`;
  if (limit === undefined) return { text, values: these.values };
  return { text: `${text} LIMIT ?`, values: [...these.values, BigInt(limit)] };
}

function where(conditions: readonly Sql[]): Sql {
  const text = conditions.map((condition) => condition.text).join(' AND ');
  return { text: text && ` WHERE ${text}`, values: conditions.flatMap(({ values }) => values) };
}

/** Columns compared with values, as tuples. A null equals a null. */
function compared(columns: readonly string[], sign: string, values: Row): Sql {
  if (columns.length === 1 && values[0] === null) {
    return { text: `${names(columns)} IS NULL`, values: [] };
  }
  return { text: `(${names(columns)}) ${sign} ${marks(values)}`, values };
}

function into(table: Table, rows: readonly Row[], conflict: string): Sql {
  const columns = names(table.columns.map(({ name }) => name));
  const values = rows.map((row) => marks(row)).join(', ');
  const text = `INSERT INTO ${nameOf(table)} (${columns}) VALUES ${values} ON CONFLICT ${conflict}`;
  return { text, values: rows.flat() };
}

/**
 * Columns as results. Integers come as text, because drivers make of them what they like: numbers,
 * which are not exact, or texts, or what the host has chosen.
 */
function results(columns: readonly Column[]): string {
  const result = ({ kind, name }: Column) =>
    kind === 'integer' ? `CAST(${quoted(name)} AS text) AS ${quoted(name)}` : quoted(name);
  return columns.map(result).join(', ');
}

/** The columns that are not in the primary key. */
function valuesOf(table: Table): string[] {
  return table.columns.map(({ name }) => name).filter((name) => !table.key.includes(name));
}

function marks(values: Row): string {
  return `(${values.map(() => '?').join(', ')})`;
}

/** A quoted name of the schema; no name contains a quotation mark. */
export function quoted(name: string): string {
  return `"${name}"`;
}

export function names(columns: readonly string[]): string {
  return columns.map(quoted).join(', ');
}

/** The name of a table in the database. */
export function nameOf(table: { readonly name: string }): string {
  return quoted(PREFIX + table.name);
}
