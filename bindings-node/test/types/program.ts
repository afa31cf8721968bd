// A program of a user of the package, which the compiler checks as each kind of module. What must not
// compile is marked; the compiler complains of a mark without an error, too.
import {
  Agency,
  ConflictError,
  NotFoundError,
  METRICS,
  PartnerKitError,
  Platform,
  STATUSES,
  ValidationError,
  fieldCodes,
  nationalFormat,
  phoneCountries,
  schemaVersion,
  tables,
  version,
  type Change,
  type ErrorCode,
  type FieldCode,
  type Metric,
  type Page,
  type Reseller,
  type ResellerDraft,
  type Settings,
  type SortBy,
  type Status,
  type TableStore,
  type TableTransaction,
  type UsageEvent,
} from 'partnerkit';
import { conformanceCases, runConformanceCase } from 'partnerkit/conformance';

/** Says that a value has exactly a type. */
function is<Expected>() {
  return <Actual>(
    _value: Actual,
    ..._same: [Expected, Actual] extends [Actual, Expected] ? [] : ['another type']
  ): void => undefined;
}

const settings: Settings = {
  loginBase: 'partner.example.com',
  loginDomains: 'dns',
  quarantine: 30,
  hashing: { atOnce: 4, queue: 100 },
  secrets: { 1: new Uint8Array(32) },
  legacyVerifier: { recognises: (hash) => hash.startsWith('md5:'), verify: async () => false },
  clock: () => new Date(),
};

const draft: ResellerDraft = {
  partnerType: 'own_plans',
  name: 'Acme Télécom',
  email: 'owner@acme.example',
  phone: ['US', '(415) 555-2671'],
  invite: true,
  contact: { name: 'Ann Lee', email: 'ann@acme.example', phone: '+49 30 901820' },
  loginDomain: 'acme',
  externalId: undefined,
  website: null,
  metadata: { tier: 'gold' },
};

export async function main(): Promise<void> {
  await using platform = await Platform.open('memory:', settings);
  const agency = await platform.ensureAgency('northwind', { timeZone: 'Europe/Berlin' });
  is<Agency>()(agency);
  is<string>()(agency.id);
  is<string>()(platform.loginUrl('acme'));

  const acme = await agency.createReseller(draft);
  is<Reseller>()(acme);
  is<string>()(acme.id);
  is<number>()(acme.version);
  is<Date>()(acme.createdAt);
  is<string | null>()(acme.website);
  is<Status>()(acme.status);
  is<Readonly<Record<string, string>>>()(acme.metadata);

  for (const answer of await agency.createResellers([draft, { name: 'Other' }])) {
    if (answer instanceof ValidationError) is<FieldCode>()(answer.fields[0]!.code);
    else is<Reseller>()(answer);
  }

  const page = await agency.page({ text: 'telecom', status: 'active', sort: 'name', limit: 25 });
  is<Page>()(page);
  is<number | undefined>()(page.total?.count);
  for await (const reseller of agency.search({ joinedFrom: new Date(0) })) is<Reseller>()(reseller);

  const used = await agency.consume({
    reseller: acme.id,
    metric: 'messages',
    quantity: 3,
    id: 'c',
  });
  is<bigint>()(used.used);
  is<bigint | null>()(used.limit);
  const overview = await agency.overview({ signal: AbortSignal.timeout(1_000) });
  is<bigint>()(overview.messages + 1n);
  const event: UsageEvent = {
    id: 'e',
    reseller: acme.id,
    metric: 'team_members',
    quantity: 2n ** 60n,
    at: new Date(),
  };
  is<'accepted' | 'duplicate' | 'conflict' | 'rejected'>()(
    (await agency.recordUsage([event])).outcomes[0]!.kind,
  );
  await agency.setAllowance({ reseller: acme.id, metric: 'messages', limit: null });
  await agency.updateReseller(acme.id, { website: null }, { version: acme.version });
  await agency.deactivate(acme.id, { reason: 'nonpayment' });
  is<readonly Change[]>()(await agency.changes({ after: 0, limit: 10 }));
  is<Reseller | null>()(await agency.resellerByExternalId('crm-1'));
  is<Readonly<Record<string, bigint>>>()((await agency.settings()).capacity);
  is<void>()(await platform.backup('backup.db'));

  try {
    await agency.actingAs('somebody').activate(acme.id);
  } catch (error) {
    if (error instanceof ConflictError) is<number | null>()(error.currentVersion);
    else if (error instanceof NotFoundError) is<ErrorCode>()(error.code);
    else if (error instanceof PartnerKitError) is<number>()(error.httpStatus);
  }

  is<string>()(nationalFormat('+14155552671'));
  is<number>()(phoneCountries()[0]!.callingCode);
  is<string>()(fieldCodes()[0]!.text + version);
  is<number>()(schemaVersion);
  is<readonly Metric[]>()(METRICS);
}

export class Transaction implements TableTransaction {
  ask: TableTransaction['ask'] = async (questions) =>
    questions.map((question) => {
      switch (question.verb) {
        case 'get':
          return question.keys.map(() => null);
        case 'count':
          return question.cap;
        case 'page':
          return question.filter.terms.map(() => null);
        case 'remove':
          return BigInt(question.limit);
        case 'insert':
        case 'update':
          return question.rows.map(() => true);
        case 'scan':
          return [];
      }
    });
  tell: TableTransaction['tell'] = async (writes) => writes.length;
  async commit() {}
  async rollback() {}
}

export class Store implements TableStore {
  async schemaVersion() {
    return schemaVersion;
  }
  async begin(_agency: string, _mode: 'read' | 'beside' | 'own' | 'join') {
    return new Transaction();
  }
}

export async function conforms(): Promise<void> {
  const platform = await Platform.withStorage(new Store(), { ...settings, deadline: 1_000 });
  await platform.close();
  for (const name of conformanceCases()) await runConformanceCase(name, () => new Store());
  is<'integer' | 'text' | 'bytes' | 'uuid'>()(tables[0]!.columns[0]!.kind);
}

/** The texts of a request are taken as they are: the library refuses those that it does not know. For the
 * compiler they are cast. */
export async function asItCame(
  agency: Agency,
  query: Readonly<Record<string, string>>,
): Promise<void> {
  const { joinedFrom } = query;
  const [status, sort] = [query.status as Status, query.sort as SortBy];
  await agency.page({ status, sort, joinedFrom });
  const known = STATUSES.find((one) => one === query.status);
  is<Status | undefined>()(known);
  await agency.page({ status: 'active', sort: 'name', joinedFrom: new Date(0) });
}

/** What must not compile. */
export async function refused(platform: Platform, agency: Agency): Promise<void> {
  // @ts-expect-error a constructor is not offered
  new Platform();
  // @ts-expect-error an unknown setting
  await Platform.open('memory:', { logindomains: 'dns' });
  // @ts-expect-error an unknown choice
  await Platform.open('memory:', { loginDomains: 'any' });
  // @ts-expect-error the address of the store is missing
  await Platform.open();
  // @ts-expect-error a store without methods
  await Platform.withStorage({});
  // @ts-expect-error an option is given by name
  await platform.ensureAgency('northwind', 'Europe/Berlin');
  // @ts-expect-error an unknown metric
  const metric: Metric = 'carrier_pigeons';
  // @ts-expect-error a metric that there is not, in a request
  await agency.consume({ reseller: 'id', metric: 'mesages', quantity: 1, id: 'c' });
  // @ts-expect-error a window that there is not
  await agency.usage({ start: new Date(0), end: new Date(), window: 'year' });
  // @ts-expect-error a status that there is not
  await agency.page({ status: 'asleep' });
  // @ts-expect-error a type of partner that there is not
  await agency.changePartnerType('id', 'franchise');
  // @ts-expect-error a range has an end
  await agency.usage({ start: new Date(0) });
  // @ts-expect-error an argument is missing
  await agency.consume({ reseller: 'id', metric, quantity: 1 });
  // @ts-expect-error a quantity is no text
  await agency.consume({ reseller: 'id', metric: 'messages', quantity: '1', id: 'c' });
  // @ts-expect-error lifting a limit requires an explicit null
  await agency.setAllowance({ reseller: 'id', metric: 'messages' });
  // @ts-expect-error a status is a text
  await agency.page({ status: 1 });
  // @ts-expect-error a check without a host has to say so
  await platform.checkAccess('stamp');
  // @ts-expect-error an unknown field
  await agency.createReseller({ ...draft, login_domain: 'acme' });
  // @ts-expect-error an unknown field of a patch
  await agency.updateReseller('id', { loginDomain: 'globex' });
  // @ts-expect-error a version is given by name
  await agency.updateReseller('id', {}, 1);
  // @ts-expect-error an unknown option
  await agency.updateReseller('id', {}, { verison: 1 });
  // @ts-expect-error an instant is a Date
  await agency.page({ joinedFrom: 0 });
  // @ts-expect-error usage is a bigint
  const messages: number = (await agency.overview()).messages;
  // @ts-expect-error a version is a number
  const revision: bigint = (await agency.reseller('id')).version;
  // @ts-expect-error a bigint and a number are not added
  void ((await agency.overview()).messages + 1);
  // @ts-expect-error records are not changed
  (await agency.reseller('id')).name = 'Other';
  // @ts-expect-error a website may be missing
  const website: string = (await agency.reseller('id')).website;
  // @ts-expect-error a signal is no controller
  await agency.overview({ signal: new AbortController() });
  // @ts-expect-error a result is awaited
  const page: Page = agency.page();
  // @ts-expect-error what is internal is not declared
  void agency.native;
  // @ts-expect-error an error is of no other kind
  const kind: ErrorCode = 'not_valid';
  // @ts-expect-error an error has no code of another kind
  const code: FieldCode = 'no_such_code';
  void [messages, revision, website, page, kind, code];
}
