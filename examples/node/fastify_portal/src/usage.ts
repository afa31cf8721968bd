/** A metering service reports what resellers used, and asks before they use more. */
import type { FastifyInstance } from 'fastify';
import type { Metric, UsageEvent } from 'partnerkit';
import { agencyOf } from './guard.js';
import { signalOf } from './signal.js';
import { whole, wholeNumber } from './values.js';

const text = { type: 'string' } as const;

export function usage(app: FastifyInstance): void {
  app.post<{ Body: { events: unknown[] } }>(
    '/events',
    {
      schema: {
        body: {
          type: 'object',
          properties: { events: { type: 'array' } },
          required: ['events'],
          additionalProperties: false,
        },
      },
      // The library takes 10,000 events at once, which do not fit into Fastify's megabyte.
      bodyLimit: 8 * 1024 * 1024,
    },
    async (request) => {
      const events = request.body.events.map(eventOf);
      const { outcomes } = await agencyOf(request).recordUsage(events, { signal: signalOf(request) });
      // Each outcome with its event's id, so that nobody has to count.
      return { outcomes: outcomes.map((outcome, at) => ({ id: idOf(request.body.events[at]), ...outcome })) };
    },
  );

  app.post<{ Body: { id: string; reseller: string; metric: Metric; quantity: number | string } }>(
    '/consume',
    {
      schema: {
        body: {
          type: 'object',
          properties: { id: text, reseller: text, metric: text, quantity: wholeNumber },
          required: ['id', 'reseller', 'metric', 'quantity'],
          additionalProperties: false,
        },
      },
    },
    async (request, reply) => {
      const { quantity, ...rest } = request.body;
      const asked = { ...rest, quantity: whole(quantity) };
      const consumed = await agencyOf(request).consume(asked, { signal: signalOf(request) });
      if (consumed.granted) return consumed;
      if (consumed.reason === 'inactive') {
        // Waiting does not help, so there is no time to wait for.
        return reply
          .code(403)
          .send({ error: { code: 'inactive', message: 'the reseller is switched off' }, ...consumed });
      }
      // Not 402: nobody is asked for a payment, and with the next period the same request succeeds.
      const wait = Math.max(1, Math.ceil((consumed.resetsAt.getTime() - Date.now()) / 1_000));
      return reply
        .code(429)
        .header('retry-after', wait)
        .send({
          error: {
            code: 'limit_reached',
            message: `${consumed.used} of ${consumed.limit} are used; ${consumed.requested} more would pass the limit`,
          },
          ...consumed,
        });
    },
  );
}

/**
 * An event as the library takes it, or as much of one as there is: it rejects what is wrong with one
 * event for that event alone. Only an entry that is no object at all would refuse the whole batch.
 */
function eventOf(given: unknown): UsageEvent {
  const event = { ...(typeof given === 'object' ? given : {}) } as { quantity?: unknown };
  if (typeof event.quantity === 'string' && /^[0-9]{1,20}$/.test(event.quantity)) {
    event.quantity = BigInt(event.quantity);
  }
  return event as UsageEvent;
}

function idOf(given: unknown): unknown {
  return typeof given === 'object' && given !== null && 'id' in given ? given.id : null;
}
