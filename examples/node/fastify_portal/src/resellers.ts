/** The agency's own programs manage resellers over JSON. */
import type { FastifyInstance } from 'fastify';
import type {
  Agency,
  Metric,
  PartnerType,
  Platform,
  ResellerDraft,
  ResellerPatch,
  ResellerQuery,
  SortBy,
  Status,
} from 'partnerkit';
import { agencyOf } from './guard.js';
import { signalOf } from './signal.js';
import { dateOf, expectedVersion, numberOf, tagOf, whole, wholeNumber } from './values.js';

interface Id {
  Params: { id: string };
}

/** A query for resellers as it is in a URL. */
export interface QueryText {
  text?: string;
  status?: string;
  partnerType?: string;
  joinedFrom?: string;
  joinedBefore?: string;
  sort?: string;
  descending?: 'true' | 'false';
}

const text = { type: 'string' } as const;
const flag = { type: 'string', enum: ['true', 'false'] } as const;
// A form is the library's to judge, whatever is in it; only that it is an object is judged here.
const form = { type: 'object' } as const;

/** Which parameters a query may have. */
export const queryText = {
  text,
  status: text,
  partnerType: text,
  joinedFrom: text,
  joinedBefore: text,
  sort: text,
  descending: flag,
} as const;

/** The query of a URL. A status that does not exist is refused by the library, like any wrong field. */
export function queryOf(given: QueryText): ResellerQuery {
  return {
    text: given.text,
    status: given.status as Status | undefined,
    partnerType: given.partnerType as PartnerType | undefined,
    joinedFrom: dateOf(given.joinedFrom),
    joinedBefore: dateOf(given.joinedBefore),
    sort: given.sort as SortBy | undefined,
    descending: given.descending && given.descending === 'true',
  };
}

/** What can be limited: the metrics that add up. */
const counters = ['messages', 'whatsapp_messages', 'whatsapp_conversations'] as const satisfies Metric[];

/**
 * What a reseller has used in the present period, of each counter, and what it may use.
 *
 * The library tells that in its answer to `consume`, so this consumes nothing, under an id that stays
 * the same: however often somebody looks, the store keeps one event for each counter.
 */
export async function usageOf(agency: Agency, reseller: string, signal: AbortSignal) {
  return Promise.all(
    counters.map(async (metric) => {
      const request = { reseller, metric, quantity: 0, id: `look/${reseller}/${metric}` };
      const { used, limit, resetsAt } = await agency.consume(request, { signal });
      return { metric, used, limit, resetsAt };
    }),
  );
}

export function resellers(app: FastifyInstance, platform: Platform): void {
  app.post<{ Body: ResellerDraft }>('/resellers', { schema: { body: form } }, async (request, reply) => {
    // With a key a client may repeat a request that it got no answer to.
    const key = request.headers['idempotency-key'];
    const draft = key === undefined ? request.body : { ...request.body, idempotencyKey: String(key) };
    const made = await agencyOf(request).createReseller(draft, { signal: signalOf(request) });
    return reply.code(201).header('location', `/agency/resellers/${made.id}`).header('etag', tagOf(made)).send(made);
  });

  // While somebody types. No store is asked, so this may be called at every key.
  app.post<{ Body: ResellerDraft; Querystring: { field?: string } }>(
    '/resellers/check',
    { schema: { body: form, querystring: { type: 'object', properties: { field: text } } } },
    async (request) => ({ errors: platform.formErrors(request.body, { field: request.query.field ?? null }) }),
  );

  // When the typing has stopped: whether a login domain is free, and if not, what else is.
  app.get<{ Params: { label: string } }>('/login-domains/:label', async (request) =>
    agencyOf(request).domainAvailability(request.params.label, { signal: signalOf(request) }),
  );

  app.get<{ Querystring: QueryText & { limit?: string; after?: string; total?: 'true' | 'false' } }>(
    '/resellers',
    {
      schema: {
        querystring: {
          type: 'object',
          properties: { ...queryText, limit: text, after: text, total: flag },
          additionalProperties: false,
        },
      },
    },
    async (request) => {
      const { limit, after, total, ...rest } = request.query;
      const query = { ...queryOf(rest), limit: numberOf(limit), after, withTotal: total === 'true' };
      return agencyOf(request).page(query, { signal: signalOf(request) });
    },
  );

  app.get<Id>('/resellers/:id', async (request, reply) => {
    const found = await agencyOf(request).reseller(request.params.id, { signal: signalOf(request) });
    return reply.header('etag', tagOf(found)).send(found);
  });

  app.patch<Id & { Body: ResellerPatch }>('/resellers/:id', { schema: { body: form } }, async (request, reply) => {
    const changed = await agencyOf(request).updateReseller(request.params.id, request.body, {
      version: expectedVersion(request.headers['if-match']),
      signal: signalOf(request),
    });
    return reply.header('etag', tagOf(changed)).send(changed);
  });

  app.post<Id & { Body: { reason?: string | null } | null }>(
    '/resellers/:id/deactivate',
    {
      schema: {
        body: {
          anyOf: [{ type: 'null' }, { type: 'object', properties: { reason: text }, additionalProperties: false }],
        },
      },
    },
    async (request, reply) => {
      const changed = await agencyOf(request).deactivate(request.params.id, {
        reason: request.body?.reason,
        signal: signalOf(request),
      });
      return reply.header('etag', tagOf(changed)).send(changed);
    },
  );

  app.post<Id>('/resellers/:id/activate', async (request, reply) => {
    const changed = await agencyOf(request).activate(request.params.id, { signal: signalOf(request) });
    return reply.header('etag', tagOf(changed)).send(changed);
  });

  app.put<Id & { Body: { loginDomain: string } }>(
    '/resellers/:id/login-domain',
    {
      schema: {
        body: {
          type: 'object',
          properties: { loginDomain: text },
          required: ['loginDomain'],
          additionalProperties: false,
        },
      },
    },
    async (request, reply) => {
      const changed = await agencyOf(request).renameLoginDomain(request.params.id, request.body.loginDomain, {
        version: expectedVersion(request.headers['if-match']),
        signal: signalOf(request),
      });
      return reply.header('etag', tagOf(changed)).send(changed);
    },
  );

  app.put<Id & { Params: { metric: Metric }; Body: { limit: number | string | null } }>(
    '/resellers/:id/allowances/:metric',
    {
      schema: {
        body: {
          type: 'object',
          properties: { limit: { anyOf: [...wholeNumber.anyOf, { type: 'null' }] } },
          // A limit that was left out must not lift the one that there is.
          required: ['limit'],
          additionalProperties: false,
        },
      },
    },
    async (request, reply) => {
      const { id, metric } = request.params;
      const { limit } = request.body;
      await agencyOf(request).setAllowance(
        { reseller: id, metric, limit: limit === null ? null : whole(limit) },
        { signal: signalOf(request) },
      );
      return reply.code(204).send();
    },
  );

  app.get<Id>('/resellers/:id/usage', async (request) => usageOf(agencyOf(request), request.params.id, signalOf(request)));

  app.get('/overview', async (request) => agencyOf(request).overview({ signal: signalOf(request) }));

  app.get<{ Querystring: { after?: string; limit?: string } }>(
    '/changes',
    {
      schema: {
        querystring: { type: 'object', properties: { after: text, limit: text }, additionalProperties: false },
      },
    },
    async (request) => {
      const after = numberOf(request.query.after);
      const limit = numberOf(request.query.limit);
      const changes = await agencyOf(request).changes({ after, limit, signal: signalOf(request) });
      // What to ask for next, also when there was nothing new.
      return { changes, next: changes.at(-1)?.sequence ?? after ?? 0 };
    },
  );
}
