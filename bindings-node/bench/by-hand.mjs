// better-sqlite3, as one writes it by hand: prepared statements, rows made into the same objects.
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';

export const TABLES = `
CREATE TABLE resellers (
  id TEXT PRIMARY KEY, agency TEXT NOT NULL, version INTEGER NOT NULL, status TEXT NOT NULL,
  partner_type TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,
  contact TEXT NOT NULL, login_domain TEXT NOT NULL, metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE UNIQUE INDEX resellers_email ON resellers (agency, email);
CREATE UNIQUE INDEX resellers_login_domain ON resellers (login_domain);
CREATE INDEX resellers_created ON resellers (agency, created_at DESC, id);
CREATE INDEX resellers_name ON resellers (agency, name, id);
CREATE TABLE events (
  agency TEXT NOT NULL, id TEXT NOT NULL, reseller TEXT NOT NULL, metric TEXT NOT NULL,
  quantity INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (agency, id));
CREATE INDEX events_metric ON events (agency, metric, quantity);
`;

/** The sums of somebody whose overview does not get slower with every event: quarter-hours and totals. */
const SUMS = `
DROP INDEX events_metric;
CREATE TABLE sums (
  agency TEXT NOT NULL, reseller TEXT NOT NULL, metric TEXT NOT NULL, quarter INTEGER NOT NULL,
  sum INTEGER NOT NULL, events INTEGER NOT NULL,
  PRIMARY KEY (agency, reseller, metric, quarter)) WITHOUT ROWID;
CREATE TABLE totals (
  agency TEXT NOT NULL, metric TEXT NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY (agency, metric)) WITHOUT ROWID;
`;

/** A database file with the tables, as durable as the library's. */
export function opened(file) {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(TABLES);
  return db;
}

/** The columns of a new row. */
export function row(form, at) {
  const { partnerType, name, email, phone, contact, loginDomain, metadata } = form;
  return {
    id: randomUUID(),
    agency: 'northwind',
    version: 1,
    status: 'active',
    partner_type: partnerType,
    name,
    email: email.toLowerCase(),
    phone,
    contact: JSON.stringify(contact),
    login_domain: loginDomain,
    metadata: JSON.stringify(metadata),
    created_at: at,
    updated_at: at,
  };
}

/** A row as the object that a program works with. */
function record(row) {
  return {
    id: row.id,
    agency: row.agency,
    version: row.version,
    status: row.status,
    partnerType: row.partner_type,
    name: row.name,
    email: row.email,
    phone: row.phone,
    contact: JSON.parse(row.contact),
    loginDomain: row.login_domain,
    metadata: JSON.parse(row.metadata),
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  };
}

const COLUMNS =
  'id, agency, version, status, partner_type, name, email, phone, contact, login_domain, metadata, created_at, updated_at';

export const byHand = async (file) => contender(opened(file));

/** The same with sums, which is what the library keeps. */
export async function byHandWithSums(file) {
  const db = opened(file);
  db.exec(SUMS);
  const add = db.prepare(
    'INSERT OR IGNORE INTO events (agency, id, reseller, metric, quantity, at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const count = db.prepare(
    `INSERT INTO sums (agency, reseller, metric, quarter, sum, events) VALUES (?, ?, ?, ?, ?, 1)
     ON CONFLICT DO UPDATE SET sum = sum + excluded.sum, events = events + 1`,
  );
  const total = db.prepare(
    `INSERT INTO totals (agency, metric, sum) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET sum = sum + excluded.sum`,
  );
  const active = db.prepare(
    "SELECT count(*) AS count FROM resellers WHERE agency = ? AND status = 'active'",
  );
  const totals = db.prepare('SELECT metric, sum FROM totals WHERE agency = ?');
  return {
    ...contender(db),
    name: 'better-sqlite3 with sums',
    ingest: db.transaction((events) => {
      for (const { id, reseller, metric, quantity, at } of events) {
        const time = at.getTime();
        const { changes } = add.run('northwind', id, reseller, metric, quantity, time);
        if (changes === 0) continue;
        count.run('northwind', reseller, metric, Math.floor(time / 900_000), quantity);
        total.run('northwind', metric, quantity);
      }
    }),
    overview() {
      const { count } = active.get('northwind');
      const of = Object.fromEntries(totals.all('northwind').map((row) => [row.metric, row.sum]));
      return { activeResellers: count, ...of };
    },
  };
}

function contender(db) {
  const insert = db.prepare(
    `INSERT INTO resellers (${COLUMNS}) VALUES (${COLUMNS.split(', ')
      .map((name) => `@${name}`)
      .join(', ')})`,
  );
  const get = db.prepare('SELECT * FROM resellers WHERE agency = ? AND id = ?');
  const list = db.prepare(
    'SELECT * FROM resellers WHERE agency = ? ORDER BY created_at DESC, id LIMIT 26',
  );
  const after = db.prepare(
    'SELECT * FROM resellers WHERE agency = ? AND (name, id) > (?, ?) ORDER BY name, id LIMIT 26',
  );
  const search = db.prepare(
    `SELECT * FROM resellers WHERE agency = @agency AND (name LIKE @term OR email LIKE @term)
     ORDER BY created_at DESC, id LIMIT 26`,
  );
  const add = db.prepare(
    'INSERT OR IGNORE INTO events (agency, id, reseller, metric, quantity, at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const active = db.prepare(
    "SELECT count(*) AS count FROM resellers WHERE agency = ? AND status = 'active'",
  );
  const totals = db.prepare(
    'SELECT metric, sum(quantity) AS total FROM events WHERE agency = ? GROUP BY metric',
  );
  const records = (rows) => rows.slice(0, 25).map(record);
  return {
    name: 'better-sqlite3',
    fill: db.transaction((forms, at) =>
      forms.map((form, i) => {
        const made = row(form, at + i);
        insert.run(made);
        return made.id;
      }),
    ),
    create(form, at) {
      const made = row(form, at);
      insert.run(made);
      return record(made);
    },
    get: (id) => record(get.get('northwind', id)),
    list: () => records(list.all('northwind')),
    deep: (place) => records(after.all('northwind', place, '')),
    search: (term) => records(search.all({ agency: 'northwind', term: `%${term}%` })),
    ingest: db.transaction((events) => {
      for (const { id, reseller, metric, quantity, at } of events) {
        add.run('northwind', id, reseller, metric, quantity, at.getTime());
      }
    }),
    overview() {
      const { count } = active.get('northwind');
      const of = Object.fromEntries(totals.all('northwind').map((row) => [row.metric, row.total]));
      return { activeResellers: count, ...of };
    },
    close: () => db.close(),
  };
}
