// Drizzle over better-sqlite3, as its documentation has it.
import { and, asc, count, desc, eq, gt, like, or, sum } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { randomUUID } from 'node:crypto';
import { opened } from './by-hand.mjs';

const resellers = sqliteTable('resellers', {
  id: text().primaryKey(),
  agency: text().notNull(),
  version: integer().notNull(),
  status: text().notNull(),
  partnerType: text('partner_type').notNull(),
  name: text().notNull(),
  email: text().notNull(),
  phone: text().notNull(),
  contact: text({ mode: 'json' }).notNull(),
  loginDomain: text('login_domain').notNull(),
  metadata: text({ mode: 'json' }).notNull(),
  createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull(),
  updatedAt: integer('updated_at', { mode: 'timestamp_ms' }).notNull(),
});
const eventRows = sqliteTable(
  'events',
  {
    agency: text().notNull(),
    id: text().notNull(),
    reseller: text().notNull(),
    metric: text().notNull(),
    quantity: integer().notNull(),
    at: integer({ mode: 'timestamp_ms' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.agency, table.id] })],
);

const CHUNK = 1_000;

export async function overDrizzle(file) {
  const client = opened(file);
  const db = drizzle(client);
  const values = (form, at) => {
    const { invite: _, ...row } = form;
    return {
      ...row,
      id: randomUUID(),
      agency: 'northwind',
      version: 1,
      status: 'active',
      email: form.email.toLowerCase(),
      createdAt: new Date(at),
      updatedAt: new Date(at),
    };
  };
  const ours = eq(resellers.agency, 'northwind');
  return {
    name: 'Drizzle',
    fill(forms, at) {
      const rows = forms.map((form, i) => values(form, at + i));
      db.transaction((tx) => {
        for (let i = 0; i < rows.length; i += CHUNK) {
          tx.insert(resellers)
            .values(rows.slice(i, i + CHUNK))
            .run();
        }
      });
      return rows.map(({ id }) => id);
    },
    create: async (form, at) =>
      (await db.insert(resellers).values(values(form, at)).returning())[0],
    get: async (id) =>
      (
        await db
          .select()
          .from(resellers)
          .where(and(ours, eq(resellers.id, id)))
      )[0],
    list: async () =>
      (
        await db
          .select()
          .from(resellers)
          .where(ours)
          .orderBy(desc(resellers.createdAt), asc(resellers.id))
          .limit(26)
      ).slice(0, 25),
    deep: async (place) =>
      (
        await db
          .select()
          .from(resellers)
          .where(and(ours, gt(resellers.name, place)))
          .orderBy(asc(resellers.name), asc(resellers.id))
          .limit(26)
      ).slice(0, 25),
    search: async (term) => {
      const found = or(like(resellers.name, `%${term}%`), like(resellers.email, `%${term}%`));
      const rows = await db
        .select()
        .from(resellers)
        .where(and(ours, found))
        .orderBy(desc(resellers.createdAt), asc(resellers.id))
        .limit(26);
      return rows.slice(0, 25);
    },
    ingest: async (batch) => {
      const rows = batch.map((event) => ({ ...event, agency: 'northwind' }));
      await db.insert(eventRows).values(rows).onConflictDoNothing();
    },
    async overview() {
      const [active] = await db
        .select({ count: count() })
        .from(resellers)
        .where(and(ours, eq(resellers.status, 'active')));
      const totals = await db
        .select({ metric: eventRows.metric, total: sum(eventRows.quantity) })
        .from(eventRows)
        .where(eq(eventRows.agency, 'northwind'))
        .groupBy(eventRows.metric);
      const of = Object.fromEntries(totals.map(({ metric, total }) => [metric, Number(total)]));
      return { activeResellers: active.count, ...of };
    },
    close: () => client.close(),
  };
}
