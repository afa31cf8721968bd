/**
 * The first migration: the tables of this release, from the declarations. A database that has them
 * needs no later step; one that an earlier release has made is brought along by the others.
 */

import { tables, type Column, type Table } from '../storage';
import { nameOf, names, PREFIX, quoted, type DialectName } from './sql';

// Text is compared by code points, as SQLite does anyway. Its UUIDs are texts, as they are written.
const TYPES: Readonly<Record<DialectName, Readonly<Record<Column['kind'], string>>>> = {
  postgres: { integer: 'bigint', text: 'text COLLATE "C"', bytes: 'bytea', uuid: 'uuid' },
  sqlite: { integer: 'INTEGER', text: 'TEXT', bytes: 'BLOB', uuid: 'TEXT' },
};

/** The statements of the migration. */
export function initial(dialect: DialectName): readonly string[] {
  const version = nameOf({ name: 'schema' });
  const created = tables.flatMap((table) => [tableMade(table, dialect), ...indexed(table)]);
  return [
    `CREATE TABLE ${version} (version integer NOT NULL)`,
    `INSERT INTO ${version} (version) VALUES (0)`,
    ...created,
  ];
}

function tableMade({ name, key, columns }: Table, dialect: DialectName): string {
  const column = ({ name, kind, nullable }: Column) =>
    `${quoted(name)} ${TYPES[dialect][kind]}${nullable ? '' : ' NOT NULL'}`;
  const parts = [...columns.map(column), `PRIMARY KEY (${names(key)})`];
  // A strict table refuses a sum that is no integer any more.
  const options = dialect === 'sqlite' ? ' STRICT' : '';
  return `CREATE TABLE ${nameOf({ name })} (${parts.join(', ')})${options}`;
}

function indexed(table: Table): string[] {
  return table.indexes.map(({ name, columns, unique }) => {
    const index = quoted(`${PREFIX}${table.name}_${name}`);
    const what = unique ? 'UNIQUE INDEX' : 'INDEX';
    return `CREATE ${what} ${index} ON ${nameOf(table)} (${names(columns)})`;
  });
}
