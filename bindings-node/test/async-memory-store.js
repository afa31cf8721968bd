// A reference storage: plain arrays of rows, one writer at a time, and a real wait in every
// method. A row is an array in the order of its table's columns; integers are BigInts, UUIDs
// texts, bytes Uint8Arrays. A transaction is asked questions and told writes, many at once.
'use strict';

const { setImmediate: turn, setTimeout: wait } = require('node:timers/promises');

const { schemaVersion, tables } = require('..');

const RESELLERS = tables.find((table) => table.name === 'resellers');

/** Where a column stands in its table. */
const at = (table, name) => table.columns.findIndex((column) => column.name === name);
const pick = (table, names, row) => names.map((name) => row[at(table, name)]);

/** A value that orders and equals like the stored one. */
const plain = (value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value);
const same = (a, b) => a.every((value, i) => plain(value) === plain(b[i]));

function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const [x, y] = [plain(a[i]), plain(b[i])];
    // By code points, as the contract wants texts compared: UTF-8 keeps their order.
    const order =
      typeof x === 'string' ? Buffer.compare(Buffer.from(x), Buffer.from(y)) : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return order;
  }
  return 0;
}

/** Whether values are on the right side of a bound; a null is on no side of any. */
function within(values, bound, side) {
  if (!bound) return true;
  const compared = values.slice(0, bound.values.length);
  if (compared.includes(null)) return false;
  const order = compare(compared, bound.values) * side;
  return order > 0 || (order === 0 && bound.inclusive);
}

/** What a condition may ask of a value. */
const HOLDS = {
  slug: (value, slug) => value === slug,
  at_least: (value, least) => compare([value], [least]) >= 0,
  below: (value, bound) => compare([value], [bound]) < 0,
};

class AsyncMemoryStore {
  /** Rows by table, as committed. */
  committed = new Map(tables.map((table) => [table.name, []]));
  /** What was called, in order. */
  calls = [];
  #writer = Promise.resolve();

  /** The tables are made by this release. */
  async schemaVersion() {
    await turn();
    return schemaVersion;
  }

  /** Begins when no other transaction writes; a reader sees what was committed by then. */
  async begin(agency, mode) {
    this.calls.push('begin');
    await turn();
    if (mode === 'read') return new Transaction(this, null);
    const before = this.#writer;
    let release;
    this.#writer = new Promise((resolve) => (release = resolve));
    await before;
    return new Transaction(this, release);
  }

  rows(name) {
    return this.committed.get(name);
  }
}

class Transaction {
  #store;
  #release;
  #rows;

  constructor(store, release) {
    this.#store = store;
    this.#release = release;
    this.#rows = new Map([...store.committed].map(([name, rows]) => [name, [...rows]]));
  }

  #position(table, key) {
    return this.#rows.get(table.name).findIndex((row) => same(key, pick(table, table.key, row)));
  }

  /** Whether another row has the same value of a unique index; nulls never agree. */
  #taken(table, row) {
    const key = pick(table, table.key, row);
    const others = this.#rows.get(table.name).filter((o) => !same(key, pick(table, table.key, o)));
    const unique = table.indexes.filter((index) => index.unique);
    return unique.some(({ columns }) => {
      const wanted = pick(table, columns, row);
      return !wanted.includes(null) && others.some((o) => same(wanted, pick(table, columns, o)));
    });
  }

  #write(table, row) {
    const rows = this.#rows.get(table.name);
    const position = this.#position(table, pick(table, table.key, row));
    if (position < 0) rows.push(row);
    else rows[position] = row;
  }

  /** Answers each question in turn. */
  async ask(questions) {
    this.#store.calls.push('ask');
    await wait(1);
    return questions.map((question) => this[question.verb](question));
  }

  async tell(writes) {
    this.#store.calls.push('tell');
    await turn();
    for (const write of writes) this[write.verb](write);
  }

  get({ table, by, keys }) {
    const rows = this.#rows.get(table.name);
    return keys.map((key) => rows.find((row) => same(key, pick(table, by, row))) ?? null);
  }

  scan({ table, columns, equals, range: [from, to], reverse, limit }) {
    const matches = (row) => {
      const values = pick(table, columns, row);
      const rest = values.slice(equals.length);
      return same(equals, values) && within(rest, from, 1) && within(rest, to, -1);
    };
    const ordered = columns.slice(equals.length);
    const order = (a, b) => compare(pick(table, ordered, a), pick(table, ordered, b));
    const found = this.#rows.get(table.name).filter(matches).sort(order);
    return (reverse ? found.reverse() : found).slice(0, limit);
  }

  page({ filter, order, descending, after, limit }) {
    const place = (row) => pick(RESELLERS, [order, 'id'], row);
    const compared = (a, b) => (descending ? compare(b, a) : compare(a, b));
    const behind = (row) => !after || compared(place(row), after) > 0;
    const rows = this.#matching(filter).filter(behind);
    return rows.sort((a, b) => compared(place(a), place(b))).slice(0, limit);
  }

  count({ filter, cap }) {
    const found = BigInt(this.#matching(filter).length);
    return found < cap ? found : cap;
  }

  #matching({ agency, terms, conditions }) {
    const value = (row, column) => row[at(RESELLERS, column)];
    return this.#rows.get(RESELLERS.name).filter(
      (row) =>
        value(row, 'agency') === agency &&
        terms.every((term) => value(row, 'search_text').includes(term)) &&
        conditions.every(({ column, what, value: bound }) => HOLDS[what](value(row, column), bound)),
    );
  }

  /** True for each row that was inserted, the row that has its key, or false if that is not it. */
  insert({ table, rows }) {
    return rows.map((row) => {
      const there = this.#position(table, pick(table, table.key, row));
      if (there >= 0) return this.#rows.get(table.name)[there];
      if (this.#taken(table, row)) return false;
      this.#rows.get(table.name).push(row);
      return true;
    });
  }

  update({ table, rows }) {
    return rows.map((row) => {
      if (this.#taken(table, row)) return false;
      this.#write(table, row);
      return true;
    });
  }

  remove(scan) {
    const found = this.scan(scan);
    const { table } = scan;
    this.delete({ table, keys: found.map((row) => pick(table, table.key, row)) });
    return BigInt(found.length);
  }

  put({ table, rows }) {
    for (const row of rows) this.#write(table, row);
  }

  add({ table, rows }) {
    for (const row of rows) {
      const [added, key] = [row.at(-1), pick(table, table.key, row)];
      const before = this.#rows.get(table.name)[this.#position(table, key)]?.at(-1) ?? 0n;
      this.#write(table, [...row.slice(0, -1), before + added]);
    }
  }

  delete({ table, keys }) {
    const kept = (row) => !keys.some((key) => same(key, pick(table, table.key, row)));
    this.#rows.set(table.name, this.#rows.get(table.name).filter(kept));
  }

  async commit() {
    this.#store.calls.push('commit');
    await turn();
    if (this.#release === null) return; // a reader, whose rows are of an earlier moment
    this.#store.committed = this.#rows;
    this.#release();
  }

  async rollback() {
    this.#store.calls.push('rollback');
    await turn();
    this.#release?.();
  }
}

module.exports = { AsyncMemoryStore };
