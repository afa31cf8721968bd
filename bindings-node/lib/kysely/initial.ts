/** The first migration: the tables as they were in version 2. It never changes again. */

import { nameOf, names, PREFIX, quoted, type DialectName } from './sql';

/** A table as a migration makes it: a question mark says that a column may be null. */
interface NewTable {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, string>>;
  readonly indexes: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly unique: boolean;
  }[];
}

// Text is compared by code points, as SQLite does anyway. Its UUIDs are texts, as they are written.
const TYPES: Readonly<Record<DialectName, Readonly<Record<string, string>>>> = {
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

function tableMade({ name, key, columns }: NewTable, dialect: DialectName): string {
  const column = ([column, kind]: [string, string]) => {
    const needed = kind.endsWith('?') ? '' : ' NOT NULL';
    return `${quoted(column)} ${TYPES[dialect][kind.replace('?', '')]}${needed}`;
  };
  const parts = [...Object.entries(columns).map(column), `PRIMARY KEY (${names(key)})`];
  // A strict table refuses a sum that is no integer any more.
  const options = dialect === 'sqlite' ? ' STRICT' : '';
  return `CREATE TABLE ${nameOf({ name })} (${parts.join(', ')})${options}`;
}

function indexed(table: NewTable): string[] {
  return table.indexes.map(({ name, columns, unique }) => {
    const index = quoted(`${PREFIX}${table.name}_${name}`);
    return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${index} ON ${nameOf(table)} (${names(columns)})`;
  });
}

const tables: readonly NewTable[] = [
  {
    name: 'secrets',
    key: ['agency', 'id'],
    columns: {
      agency: 'text',
      id: 'integer',
      secret: 'bytes',
      created_at: 'integer',
    },
    indexes: [],
  },
  {
    name: 'agencies',
    key: ['agency'],
    columns: {
      agency: 'text',
      version: 'integer',
      time_zone: 'text',
      capacity: 'text',
      reserved_labels: 'text',
      created_at: 'integer',
      updated_at: 'integer',
      numbered: 'integer',
      pruned: 'integer',
      closed_at: 'integer?',
    },
    indexes: [],
  },
  {
    name: 'idempotency',
    key: ['agency', 'idempotency_key'],
    columns: {
      agency: 'text',
      idempotency_key: 'text',
      fingerprint: 'bytes',
      reseller: 'uuid',
      version: 'integer',
      created_at: 'integer',
    },
    indexes: [{ name: 'age', columns: ['agency', 'created_at'], unique: false }],
  },
  {
    name: 'labels',
    key: ['label'],
    columns: {
      label: 'text',
      agency: 'text',
      reseller: 'uuid?',
      quarantined_until: 'integer?',
    },
    indexes: [{ name: 'quarantine', columns: ['quarantined_until'], unique: false }],
  },
  {
    name: 'resellers',
    key: ['agency', 'id'],
    columns: {
      agency: 'text',
      id: 'uuid',
      version: 'integer',
      status: 'text',
      deactivation_reason: 'text?',
      partner_type: 'text',
      name: 'text',
      email: 'text',
      phone: 'text',
      contact_name: 'text',
      contact_email: 'text',
      contact_phone: 'text',
      login_domain: 'text',
      website: 'text?',
      external_id: 'text?',
      metadata: 'text',
      created_at: 'integer',
      updated_at: 'integer',
      email_key: 'text',
      sort_name: 'text',
      sort_email: 'text',
      search_text: 'text',
    },
    indexes: [
      { name: 'email', columns: ['agency', 'email_key'], unique: true },
      { name: 'external_id', columns: ['agency', 'external_id'], unique: true },
      { name: 'by_joined', columns: ['agency', 'created_at', 'id'], unique: false },
      { name: 'by_name', columns: ['agency', 'sort_name', 'id'], unique: false },
      { name: 'by_email', columns: ['agency', 'sort_email', 'id'], unique: false },
    ],
  },
  {
    name: 'credentials',
    key: ['agency', 'reseller'],
    columns: {
      agency: 'text',
      reseller: 'uuid',
      generation: 'bytes',
      hash: 'text?',
    },
    indexes: [],
  },
  {
    name: 'attempts',
    key: ['agency', 'attempt'],
    columns: {
      agency: 'text',
      attempt: 'bytes',
      failures: 'integer',
      blocked_until: 'integer',
    },
    indexes: [{ name: 'age', columns: ['agency', 'blocked_until'], unique: false }],
  },
  {
    name: 'events',
    key: ['agency', 'id'],
    columns: {
      agency: 'text',
      id: 'text',
      reseller: 'uuid',
      metric: 'text',
      quantity: 'integer',
      at: 'integer',
    },
    indexes: [{ name: 'age', columns: ['agency', 'at'], unique: false }],
  },
  {
    name: 'meters',
    key: ['agency', 'reseller', 'metric'],
    columns: {
      agency: 'text',
      reseller: 'uuid',
      metric: 'text',
      value: 'integer',
      events: 'integer',
      period: 'integer',
      period_end: 'integer',
      period_used: 'integer',
      last_at: 'integer',
      last_event: 'text?',
      usage_limit: 'integer?',
    },
    indexes: [],
  },
  {
    name: 'rollups',
    key: ['agency', 'day', 'reseller', 'metric'],
    columns: {
      agency: 'text',
      day: 'integer',
      reseller: 'uuid',
      metric: 'text',
      sum: 'integer',
      events: 'integer',
      slots: 'bytes',
    },
    indexes: [],
  },
  {
    name: 'totals',
    key: ['agency', 'name'],
    columns: {
      agency: 'text',
      name: 'text',
      value: 'integer',
    },
    indexes: [],
  },
  {
    name: 'pending_changes',
    key: ['agency', 'at', 'version', 'id'],
    columns: {
      agency: 'text',
      id: 'uuid',
      kind: 'text',
      reseller: 'uuid?',
      version: 'integer',
      at: 'integer',
      actor: 'text?',
      fields: 'text',
    },
    indexes: [],
  },
  {
    name: 'changes',
    key: ['agency', 'sequence'],
    columns: {
      agency: 'text',
      sequence: 'integer',
      id: 'uuid',
      kind: 'text',
      reseller: 'uuid?',
      version: 'integer',
      at: 'integer',
      actor: 'text?',
      fields: 'text',
    },
    indexes: [],
  },
];
