/** How the migrations make tables. */

import { type Column, type Table } from '../storage';
import { nameOf, names, PREFIX, quoted, type DialectName } from './sql';

// Text is compared by code points, as SQLite does anyway. Its UUIDs are texts, as they are written.
export const TYPES: Readonly<Record<DialectName, Readonly<Record<Column['kind'], string>>>> = {
  postgres: { integer: 'bigint', text: 'text COLLATE "C"', bytes: 'bytea', uuid: 'uuid' },
  sqlite: { integer: 'INTEGER', text: 'TEXT', bytes: 'BLOB', uuid: 'TEXT' },
};

/** What a migration has to know of a table to make it. */
export type NewTable = Pick<Table, 'name' | 'key' | 'columns' | 'indexes'>;

/** The statements that make tables, and their indexes. */
export function made(tables: readonly NewTable[], dialect: DialectName): readonly string[] {
  return tables.flatMap((table) => [tableMade(table, dialect), ...indexed(table)]);
}

function tableMade({ name, key, columns }: NewTable, dialect: DialectName): string {
  const column = ({ name, kind, nullable }: Column) =>
    `${quoted(name)} ${TYPES[dialect][kind]}${nullable ? '' : ' NOT NULL'}`;
  const parts = [...columns.map(column), `PRIMARY KEY (${names(key)})`];
  // A strict table refuses a sum that is no integer any more.
  const options = dialect === 'sqlite' ? ' STRICT' : '';
  return `CREATE TABLE ${nameOf({ name })} (${parts.join(', ')})${options}`;
}

function indexed(table: NewTable): string[] {
  return table.indexes.map(({ name, columns, unique }) => {
    const index = quoted(`${PREFIX}${table.name}_${name}`);
    const what = unique ? 'UNIQUE INDEX' : 'INDEX';
    return `CREATE ${what} ${index} ON ${nameOf(table)} (${names(columns)})`;
  });
}
