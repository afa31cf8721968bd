import { inspect } from 'node:util';

import { AgencyOperations, type AgencyOperation } from './agency-operations';
import { call, environment, now, signalOf, type CallOptions } from './calls';
import {
  reader,
  Streaming,
  writer,
  type CsvDestination,
  type CsvSource,
  type ImportOptions,
} from './exchange';
import type { ResellerQuery } from './forms';
import { named } from './given';
import type { NativeAgency, Operations, Start } from './native';
import { readImportReport, readRowReport, type ImportReport, type Reseller } from './records';
import { answer, single } from './values';

/** One agency's resellers, usage and changes. Records of other agencies do not exist for it. */
export class Agency extends AgencyOperations {
  readonly #native: NativeAgency;

  private constructor(native: NativeAgency & Operations<AgencyOperation>) {
    super(native);
    this.#native = native;
  }

  /** @internal */
  static of(native: unknown): Agency {
    return new Agency(native as NativeAgency & Operations<AgencyOperation>);
  }

  /** @internal */
  [inspect.custom](): string {
    return `Agency '${this.id}'`;
  }

  /**
   * The agency's id.
   *
   * @example
   * ```ts
   * assert.equal(agency.id, 'northwind');
   * ```
   */
  get id(): string {
    return this.#native.id;
  }

  /**
   * A handle on the same agency that records this actor of the host with every change. Throws
   * `ValidationError` with the field `actor` (1–200 characters).
   *
   * @example
   * ```ts
   * await agency.actingAs('user-42').deactivate(acme.id);
   * const change = (await agency.changes()).at(-1);
   * assert.deepEqual([change?.kind, change?.actor], ['reseller_deactivated', 'user-42']);
   * ```
   */
  actingAs(actor: string): Agency {
    return Agency.of(now(this.#native.actingAs(actor)));
  }

  /**
   * Creates a reseller for each row of a CSV file, without a password unless the row has a hash. Rows
   * that exist already are left as they are, so that a file can be imported again. An import whose
   * signal is aborted ends at the next chunk; what was created stays.
   *
   * The first line names the columns, in any order:
   *
   * - required: `partner_type`, `name`, `email`, `phone`, `contact_name`, `contact_email`,
   *   `contact_phone`, `login_domain`;
   * - optional: `website`, `external_id`, `metadata` (a JSON object of texts), `phone_country` and
   *   `contact_phone_country` (for national numbers), `status`, `deactivation_reason`, `created_at`
   *   (RFC 3339) and `password_hash`;
   * - written by `exportCsv`, and not read: `id`, `updated_at`.
   *
   * Throws `FileError`, `ValidationError`, and what the stream or `each` throws.
   *
   * @example
   * ```ts
   * await agency.exportCsv('partners.csv');
   * const report = await agency.importCsv('partners.csv', { // or bytes, or a stream
   *   each({ line, kind, reseller }) {
   *     assert.deepEqual([line, kind, reseller], [2, 'existing', acme.id]);
   *   },
   * });
   * assert.deepEqual(report, { created: 0, existing: 1, rejected: 0 });
   * ```
   */
  async importCsv(source: CsvSource, options: ImportOptions = {}): Promise<ImportReport> {
    const given = named('options', options, ['dryRun', 'delimiter', 'each', 'signal']);
    const { dryRun, delimiter, each } = given;
    const signal = signalOf(given);
    if (!isFunction(each ?? undefined)) throw new TypeError('each: expected a function');
    const path = typeof source === 'string' ? source : undefined;
    const stream = typeof source === 'string' ? undefined : reader(source);
    const told = each && ((row: string) => each(answer(row, readRowReport)));
    const functions = { ...(stream && { read: stream.read }), ...(told && { each: told }) };
    const streaming = new Streaming(functions, signal, stream?.close);
    const start: Start = (id) =>
      environment.importCsv(
        id,
        this.#native,
        path,
        dryRun,
        delimiter,
        Boolean(each),
        streaming.dispatcher,
      );
    return streaming.result(call(readImportReport, start, { signal }));
  }

  /**
   * Writes the resellers that a query finds as CSV, and answers with their number. A refused query
   * leaves the destination as it is; after another error it may contain a part of the rows.
   *
   * The columns are those that `importCsv` reads, without `phone_country`, `contact_phone_country` and
   * `password_hash`, and beside them `id` and `updated_at`.
   *
   * Throws `FileError`, and what the stream throws.
   *
   * @example
   * ```ts
   * import { readFile } from 'node:fs/promises';
   *
   * const written = await agency.exportCsv('partners.csv', { text: 'telecom' }); // or a stream
   * assert.equal(written, 1);
   * assert.match(await readFile('partners.csv', 'utf8'), /Acme Télécom/);
   * ```
   */
  async exportCsv(
    destination: CsvDestination,
    query: ResellerQuery = {},
    options: CallOptions = {},
  ): Promise<number> {
    const path = typeof destination === 'string' ? destination : undefined;
    const functions = typeof destination === 'string' ? {} : { write: writer(destination) };
    const signal = signalOf(named('options', options, ['signal']));
    const streaming = new Streaming(functions, signal);
    const start: Start = (id) =>
      environment.exportCsv(id, this.#native, path, query, streaming.dispatcher);
    return streaming.result(call(single<number>, start, { signal }));
  }

  /**
   * Every reseller that a query finds, read page by page as needed; `limit` is the size of a page.
   *
   * @example
   * ```ts
   * await agency.createReseller(form);
   * const found = [];
   * for await (const reseller of agency.search({ sort: 'name', limit: 100 })) {
   *   found.push(reseller.loginDomain);
   * }
   * assert.deepEqual(found, ['acme', 'globex']);
   * ```
   */
  async *search(
    query: ResellerQuery = {},
    options?: CallOptions,
  ): AsyncGenerator<Reseller, void, undefined> {
    let page = await this.page(query, options);
    yield* page.resellers;
    while (page.next) {
      page = await this.page({ ...query, after: page.next }, options);
      yield* page.resellers;
    }
  }
}

/** Whether a value is a function, or was left out. */
function isFunction(value: unknown): boolean {
  return value === undefined || typeof value === 'function';
}
