// A reference storage: rows in plain maps, one writer at a time, and a real wait in every method.
// A row is an array in the order of its table's columns; integers are BigInts, UUIDs texts, bytes
// Uint8Arrays. A transaction is asked questions and told writes, many at once.
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

/** Values as one text, by which a map finds them. */
const text = (values) =>
  values.map((value) => (value === null ? '' : `${typeof value}${plain(value)}`)).join('\u0000');
const keyOf = (table, row) => text(pick(table, table.key, row));

/** An error of the contract. */
const failure = (code, message) => Object.assign(new Error(message), { code });

function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const [x, y] = [plain(a[i]), plain(b[i])];
    // By code points, as the contract wants texts compared: UTF-8 keeps their order.
    const order =
      typeof x === 'string'
        ? Buffer.compare(Buffer.from(x), Buffer.from(y))
        : x < y
          ? -1
          : x > y
            ? 1
            : 0;
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
  /** For each table its rows by their keys, as committed. */
  committed = new Map(tables.map((table) => [table.name, new Map()]));
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
    if (mode === 'read') return new Transaction(this);
    const before = this.#writer;
    let release;
    this.#writer = new Promise((resolve) => (release = resolve));
    await before;
    return new Transaction(this, release);
  }

  rows(name) {
    return [...this.committed.get(name).values()];
  }
}

class Transaction {
  #store;
  #release;
  /** The tables as they were when it began; a table is copied before its first change. */
  #tables;
  #changed = new Set();

  /** A writer has something to release at its end; who has not only reads. */
  constructor(store, release) {
    this.#store = store;
    this.#release = release;
    this.#tables = new Map(store.committed);
  }

  #of(table) {
    return this.#tables.get(table.name);
  }

  #rows(table) {
    return [...this.#of(table).values()];
  }

  /** The rows of a table, to be changed. */
  #change(table) {
    if (!this.#changed.has(table.name)) {
      this.#changed.add(table.name);
      this.#tables.set(table.name, new Map(this.#of(table)));
    }
    return this.#of(table);
  }

  /** Whether another row has the same value of a unique index; nulls never agree. */
  #taken(table, row) {
    const key = keyOf(table, row);
    return table.indexes.some(({ unique, columns }) => {
      const wanted = pick(table, columns, row);
      if (!unique || wanted.includes(null)) return false;
      const agrees = (other) => same(wanted, pick(table, columns, other));
      return this.#rows(table).some((other) => agrees(other) && keyOf(table, other) !== key);
    });
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
    if (text(by) === text(table.key))
      return keys.map((key) => this.#of(table).get(text(key)) ?? null);
    const rows = new Map(this.#rows(table).map((row) => [text(pick(table, by, row)), row]));
    return keys.map((key) => rows.get(text(key)) ?? null);
  }

  scan({ table, columns, equals, range: [from, to], reverse, limit }) {
    const matches = (row) => {
      const values = pick(table, columns, row);
      const rest = values.slice(equals.length);
      return same(equals, values) && within(rest, from, 1) && within(rest, to, -1);
    };
    const ordered = columns.slice(equals.length);
    const order = (a, b) => compare(pick(table, ordered, a), pick(table, ordered, b));
    const found = this.#rows(table).filter(matches).sort(order);
    return (reverse ? found.reverse() : found).slice(0, limit);
  }

  page({ filter, order, descending, after, limit }) {
    const place = (row) => pick(RESELLERS, [order, 'id'], row);
    const compared = (a, b) => (descending ? compare(b, a) : compare(a, b));
    const follows = (row) => !after || compared(place(row), after) > 0;
    const rows = this.#matching(filter).filter(follows);
    return rows.sort((a, b) => compared(place(a), place(b))).slice(0, limit);
  }

  count({ filter, cap }) {
    const found = BigInt(this.#matching(filter).length);
    return found < cap ? found : cap;
  }

  #matching({ agency, terms, conditions }) {
    const value = (row, column) => row[at(RESELLERS, column)];
    return this.#rows(RESELLERS).filter(
      (row) =>
        value(row, 'agency') === agency &&
        terms.every((term) => value(row, 'search_text').includes(term)) &&
        conditions.every(({ column, what, value: bound }) =>
          HOLDS[what](value(row, column), bound),
        ),
    );
  }

  /** True for each row that was inserted, the row that has its key, or false if that is not it. */
  insert({ table, rows }) {
    return rows.map((row) => {
      const there = this.#of(table).get(keyOf(table, row));
      if (there !== undefined) return there;
      if (this.#taken(table, row)) return false;
      this.put({ table, rows: [row] });
      return true;
    });
  }

  update({ table, rows }) {
    return rows.map((row) => {
      if (!this.#of(table).has(keyOf(table, row))) throw new Error('there is no row to update');
      if (this.#taken(table, row)) return false;
      this.put({ table, rows: [row] });
      return true;
    });
  }

  remove(scan) {
    const { table } = scan;
    const found = this.scan(scan);
    this.delete({ table, keys: found.map((row) => pick(table, table.key, row)) });
    return BigInt(found.length);
  }

  put({ table, rows }) {
    const stored = this.#change(table);
    for (const row of rows) stored.set(keyOf(table, row), row);
  }

  add({ table, rows }) {
    const stored = this.#change(table);
    for (const row of rows) {
      const before = stored.get(keyOf(table, row));
      const sums = table.columns.map(({ name }, place) => {
        if (before === undefined || table.key.includes(name)) return row[place];
        const sum = before[place] + row[place];
        if (BigInt.asIntN(64, sum) !== sum) throw failure('aborted', 'a total has no room left');
        return sum;
      });
      stored.set(keyOf(table, row), sums);
    }
  }

  delete({ table, keys }) {
    const stored = this.#change(table);
    for (const key of keys) stored.delete(text(key));
  }

  async commit() {
    this.#store.calls.push('commit');
    await turn();
    // A reader has nothing to commit: what it has read may be old by now.
    if (this.#release) this.#store.committed = this.#tables;
    this.#release?.();
  }

  async rollback() {
    this.#store.calls.push('rollback');
    await turn();
    this.#release?.();
  }
}

module.exports = { AsyncMemoryStore };
