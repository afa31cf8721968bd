// Prisma over better-sqlite3, as its documentation has it.
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { randomUUID } from 'node:crypto';
import { PrismaClient } from './generated/index.js';
import { opened } from './by-hand.mjs';

export async function overPrisma(file) {
  opened(file).close(); // makes the tables
  const prisma = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${file}` }) });
  await prisma.$queryRawUnsafe('PRAGMA synchronous = FULL');
  const values = (form, at) => {
    const { invite: _, contact, metadata, ...row } = form;
    return {
      ...row,
      id: randomUUID(),
      agency: 'northwind',
      version: 1,
      status: 'active',
      email: form.email.toLowerCase(),
      contact: JSON.stringify(contact),
      metadata: JSON.stringify(metadata),
      createdAt: BigInt(at),
      updatedAt: BigInt(at),
    };
  };
  const record = (row) => ({
    ...row,
    contact: JSON.parse(row.contact),
    metadata: JSON.parse(row.metadata),
    createdAt: new Date(Number(row.createdAt)),
    updatedAt: new Date(Number(row.updatedAt)),
  });
  const agency = 'northwind';
  const page = async (query) =>
    (await prisma.reseller.findMany({ ...query, take: 26 })).slice(0, 25).map(record);
  const newest = [{ createdAt: 'desc' }, { id: 'asc' }];
  return {
    name: 'Prisma',
    async fill(forms, at) {
      const rows = forms.map((form, i) => values(form, at + i));
      await prisma.reseller.createMany({ data: rows });
      return rows.map(({ id }) => id);
    },
    create: async (form, at) => record(await prisma.reseller.create({ data: values(form, at) })),
    get: async (id) => record(await prisma.reseller.findFirst({ where: { agency, id } })),
    list: () => page({ where: { agency }, orderBy: newest }),
    deep: (place) =>
      page({ where: { agency, name: { gt: place } }, orderBy: [{ name: 'asc' }, { id: 'asc' }] }),
    search: (term) =>
      page({
        where: { agency, OR: [{ name: { contains: term } }, { email: { contains: term } }] },
        orderBy: newest,
      }),
    // `createMany` has no `skipDuplicates` on SQLite: an `upsert` for each event, in one transaction.
    ingest: (events) =>
      prisma.$transaction(
        events.map(({ at, ...event }) =>
          prisma.event.upsert({
            where: { agency_id: { agency, id: event.id } },
            create: { ...event, agency, at: BigInt(at.getTime()) },
            update: {},
          }),
        ),
      ),
    async overview() {
      const activeResellers = await prisma.reseller.count({ where: { agency, status: 'active' } });
      const totals = await prisma.event.groupBy({
        by: ['metric'],
        where: { agency },
        _sum: { quantity: true },
      });
      return {
        activeResellers,
        ...Object.fromEntries(totals.map((t) => [t.metric, t._sum.quantity])),
      };
    },
    close: () => prisma.$disconnect(),
  };
}
