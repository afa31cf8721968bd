// Databases for the tests of the Kysely storage: files of SQLite, and databases of the server that
// PARTNERKIT_TEST_POSTGRES_URL names.
'use strict';

const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const SQLite = require('better-sqlite3');
const { Kysely, PostgresDialect, SqliteDialect, sql } = require('kysely');
const { Client, Pool } = require('pg');

const { tables } = require('..');
const { migrate } = require('../dist/kysely');

const URL_OF_SERVER = process.env.PARTNERKIT_TEST_POSTGRES_URL;

/**
 * A reason to leave out what needs PostgreSQL; where everything has to run, it is a failure
 * instead.
 */
const withoutPostgres =
  !URL_OF_SERVER && process.env.CI !== 'true'
    ? 'PARTNERKIT_TEST_POSTGRES_URL names no PostgreSQL server'
    : false;

/** An instance on a file, with the settings that the documentation recommends. */
function sqliteInstance(file, pragmas = ['journal_mode = WAL', 'synchronous = OFF']) {
  const database = new SQLite(file);
  for (const pragma of pragmas) database.pragma(pragma);
  return new Kysely({ dialect: new SqliteDialect({ database }) });
}

/** A new SQLite file with the tables, two instances on it, and `close`. */
async function sqlite({ pragmas, tables: made = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'partnerkit-kysely-'));
  const file = join(folder, 'rows.db');
  const [db, beside] = [sqliteInstance(file, pragmas), sqliteInstance(file, pragmas)];
  if (made) await migrate(db);
  const close = async () => {
    await Promise.all([db.destroy(), beside.destroy()]);
    rmSync(folder, { recursive: true });
  };
  return { name: 'SQLite', file, db, beside, close };
}

let databases = 0;

/** An instance on a database of the server. */
function postgresInstance(url, max) {
  // Nothing here asks what a crash of the server leaves.
  const pool = new Pool({ connectionString: url, max, options: '-c synchronous_commit=off' });
  // What is lost between two statements, and nobody else listens to.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return new Kysely({ dialect: new PostgresDialect({ pool }) });
}

async function onServer(statement) {
  const server = new Client({ connectionString: URL_OF_SERVER });
  await server.connect();
  try {
    await server.query(statement);
  } finally {
    await server.end();
  }
}

/** A new database of the server with the tables, two instances on it, and `close`. */
async function postgres({ max = 20, tables: made = true } = {}) {
  if (!URL_OF_SERVER) throw new Error('PARTNERKIT_TEST_POSTGRES_URL names no PostgreSQL server');
  const name = `partnerkit_node_${process.pid}_${(databases += 1)}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(URL_OF_SERVER);
  url.pathname = `/${name}`;
  const [db, beside] = [postgresInstance(url.href, max), postgresInstance(url.href, max)];
  if (made) await migrate(db);
  const close = async () => {
    await Promise.all([db.destroy(), beside.destroy()]);
    await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
  };
  return { name: 'PostgreSQL', url: url.href, db, beside, close };
}

/** Removes every row of the library's tables. */
async function empty(db) {
  await db.connection().execute(async (one) => {
    for (const { name } of tables)
      await sql`DELETE FROM ${sql.table(`partnerkit_${name}`)}`.execute(one);
  });
}

module.exports = { empty, postgres, postgresInstance, sqlite, sqliteInstance, withoutPostgres };
