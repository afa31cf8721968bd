/**
 * The second migration, to version 3: days of counters and of gauges, and sums of agencies. Its tables
 * are those of that version, whatever later ones declare.
 */

import { unpacked } from './rollups';
import { nameOf, quoted, type DialectName } from './sql';
import { made, TYPES, type NewTable } from './tables';

/** The statements of the migration. */
export function metering(dialect: DialectName): readonly string[] {
  const [events, rollups] = [nameOf({ name: 'events' }), nameOf({ name: 'rollups' })];
  const flag = `${quoted('voided')} ${TYPES[dialect].integer} NOT NULL DEFAULT 0`;
  return [
    `ALTER TABLE ${events} ADD COLUMN ${flag}`,
    ...made(tables, dialect),
    ...unpacked(dialect),
    `DROP TABLE ${rollups}`,
  ];
}

const tables: readonly NewTable[] = [
  {
    name: 'counter_days',
    key: ['agency', 'day', 'reseller', 'metric'],
    columns: [
      { name: 'agency', kind: 'text', nullable: false },
      { name: 'day', kind: 'integer', nullable: false },
      { name: 'reseller', kind: 'uuid', nullable: false },
      { name: 'metric', kind: 'text', nullable: false },
      { name: 'sum', kind: 'integer', nullable: false },
      { name: 'events', kind: 'integer', nullable: false },
      { name: 'slots', kind: 'bytes', nullable: false },
    ],
    indexes: [],
  },
  {
    name: 'gauge_days',
    key: ['agency', 'reseller', 'metric', 'day'],
    columns: [
      { name: 'agency', kind: 'text', nullable: false },
      { name: 'reseller', kind: 'uuid', nullable: false },
      { name: 'metric', kind: 'text', nullable: false },
      { name: 'day', kind: 'integer', nullable: false },
      { name: 'slots', kind: 'bytes', nullable: false },
    ],
    indexes: [],
  },
  {
    name: 'agency_slots',
    key: ['agency', 'day', 'metric', 'slot'],
    columns: [
      { name: 'agency', kind: 'text', nullable: false },
      { name: 'day', kind: 'integer', nullable: false },
      { name: 'metric', kind: 'text', nullable: false },
      { name: 'slot', kind: 'integer', nullable: false },
      { name: 'sum', kind: 'integer', nullable: false },
      { name: 'events', kind: 'integer', nullable: false },
    ],
    indexes: [],
  },
];
