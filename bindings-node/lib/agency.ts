import { AgencyOperations, type AgencyOperation } from './agency-operations';
import { now, type CallOptions } from './calls';
import type { ResellerQuery } from './forms';
import type { NativeAgency, Operations } from './native';
import type { Reseller } from './records';

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

  /** The agency's id. */
  get id(): string {
    return this.#native.id;
  }

  /**
   * A handle on the same agency that records this actor of the host with every change. Throws
   * {@link ValidationError} with the field `actor` (1–200 characters).
   */
  actingAs(actor: string): Agency {
    return Agency.of(now(this.#native.actingAs(actor)));
  }

  /**
   * Every reseller that a query finds, read page by page as needed; `limit` is the size of a page.
   *
   * ```ts
   * for await (const reseller of agency.search({ text: 'telecom' })) console.log(reseller.name);
   * ```
   */
  async *search(query: ResellerQuery = {}, options?: CallOptions): AsyncGenerator<Reseller, void, undefined> {
    let after = query.after;
    do {
      const page = await this.page({ ...query, after }, options);
      yield* page.resellers;
      after = page.next;
    } while (after);
  }
}
