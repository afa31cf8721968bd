/** The library's rows in a database of the host's, reached through Kysely: PostgreSQL or SQLite. */

export { migrate, migrations, type KyselyMigration } from './kysely/migrations';
export { KyselyStorage, type KyselyStorageOptions } from './kysely/storage';
export type { KyselyDatabase, TransactionOf } from './kysely/shape';
