/**
 * The first migration: the tables of this release, from the declarations. A database that has them
 * needs no later step; one that an earlier release has made is brought along by the others.
 */

import { tables } from '../storage';
import { nameOf, type DialectName } from './sql';
import { made } from './tables';

/** The statements of the migration. */
export function initial(dialect: DialectName): readonly string[] {
  const version = nameOf({ name: 'schema' });
  return [
    `CREATE TABLE ${version} (version integer NOT NULL)`,
    `INSERT INTO ${version} (version) VALUES (0)`,
    ...made(tables, dialect),
  ];
}
