// A reference storage: plain arrays of rows, one writer at a time, and a real wait in every
// method. A row is an array in the order of its table's columns; integers are BigInts, UUIDs
// texts, bytes Uint8Arrays.
'use strict';

const { setImmediate: turn, setTimeout: wait } = require('node:timers/promises');

const { schemaVersion, tables } = require('..');

const SEARCHED = tables.find((table) => table.name === 'resellers');

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
  return a.length - b.length;
}

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
    if (mode === 'read') return new Transaction(this, () => {});
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

  async #entered(method) {
    this.#store.calls.push(method);
    await (method === 'insert' ? wait(2) : turn());
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

  async get(table, keys, _lock) {
    await this.#entered('get');
    return keys.map((key) => this.#rows.get(table.name)[this.#position(table, key)] ?? null);
  }

  async scan(table, { columns, equals, after, limit }) {
    await this.#entered('scan');
    const next = columns.slice(equals.length, equals.length + 1);
    const matches = (row) => {
      const leading = pick(table, columns.slice(0, equals.length), row);
      return same(equals, leading) && (!after || compare(pick(table, next, row), after) > 0);
    };
    const order = (a, b) => compare(pick(table, columns, a), pick(table, columns, b));
    return this.#rows.get(table.name).filter(matches).sort(order).slice(0, limit);
  }

  async search(agency, { filter, column, descending, after, limit }) {
    await this.#entered('search');
    const place = (row) => pick(SEARCHED, [column, 'id'], row);
    const order = (a, b) => (descending ? compare(b, a) : compare(a, b));
    const behind = (row) => !after || order(place(row), after) > 0;
    const rows = this.#matching(agency, filter).filter(behind);
    return rows.sort((a, b) => order(place(a), place(b))).slice(0, limit);
  }

  async count(agency, filter, cap) {
    await this.#entered('count');
    const found = BigInt(this.#matching(agency, filter).length);
    return found < cap ? found : cap;
  }

  #matching(agency, { terms, status, partnerType, joinedFrom, joinedBefore }) {
    const columns = ['agency', 'status', 'partner_type', 'created_at', 'search_text'];
    return this.#rows.get('resellers').filter((row) => {
      const [owner, state, type, joined, text] = pick(SEARCHED, columns, row);
      return (
        owner === agency &&
        (!status || state === status) &&
        (!partnerType || type === partnerType) &&
        (joinedFrom === null || joined >= joinedFrom) &&
        (joinedBefore === null || joined < joinedBefore) &&
        terms.every((term) => text.includes(term))
      );
    });
  }

  async insert(table, rows) {
    await this.#entered('insert');
    return rows.map((row) => {
      const there = this.#position(table, pick(table, table.key, row)) >= 0;
      if (there || this.#taken(table, row)) return false;
      this.#rows.get(table.name).push(row);
      return true;
    });
  }

  async update(table, rows) {
    await this.#entered('update');
    return rows.map((row) => {
      if (this.#taken(table, row)) return false;
      this.#write(table, row);
      return true;
    });
  }

  async put(table, rows) {
    await this.#entered('put');
    for (const row of rows) this.#write(table, row);
  }

  async add(table, rows) {
    await this.#entered('add');
    for (const row of rows) {
      const [added, key] = [row.at(-1), pick(table, table.key, row)];
      const before = this.#rows.get(table.name)[this.#position(table, key)]?.at(-1) ?? 0n;
      this.#write(table, [...row.slice(0, -1), before + added]);
    }
  }

  async delete(table, keys) {
    await this.#entered('delete');
    const kept = (row) => !keys.some((key) => same(key, pick(table, table.key, row)));
    this.#rows.set(table.name, this.#rows.get(table.name).filter(kept));
  }

  async commit() {
    await this.#entered('commit');
    this.#store.committed = this.#rows;
    this.#release();
  }

  async rollback() {
    await this.#entered('rollback');
    this.#release();
  }
}

module.exports = { AsyncMemoryStore };
