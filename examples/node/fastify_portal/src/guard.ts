/** Programs show who they are with a bearer token, which stands for one agency. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Agency, Platform } from 'partnerkit';
import { Refusal } from './errors.js';

/** Agencies by the digest of a token. */
type Holders = ReadonlyMap<string, Agency>;

/** The agencies of tokens, which are created when the application starts for the first time. */
export async function holders(platform: Platform, tokens: ReadonlyMap<string, string>): Promise<Holders> {
  const found = new Map<string, Agency>();
  for (const [token, agency] of tokens) found.set(digest(token), await platform.ensureAgency(agency));
  return found;
}

/** Lets only requests with one of the tokens into the routes of `app`, before a body is read. */
export function guard(app: FastifyInstance, held: Holders): void {
  app.decorateRequest('agency');
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    // Looking up a digest takes no longer for a token that is nearly right.
    const agency = token === undefined ? undefined : held.get(digest(token));
    if (agency === undefined) {
      throw new Refusal(401, 'unauthorized', 'a valid token is required', { 'www-authenticate': 'Bearer' });
    }
    const actor = request.headers['x-actor'];
    request.setDecorator('agency', typeof actor === 'string' ? agency.actingAs(actor) : agency);
  });
}

/** The agency for which a request acts: there is no other way to one, so none sees another's data. */
export function agencyOf(request: FastifyRequest): Agency {
  return request.getDecorator<Agency>('agency');
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
