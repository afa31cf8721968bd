/** Each reseller signs in at a host name of its own. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AccessDeniedError, type Agency, type Platform, type ResolvedHost, ThrottledError } from 'partnerkit';
import { answerOf, isGone, logError, Refusal, sendError } from './errors.js';
import { messagePage, type Note, ownPage, pagePolicy, signInPage } from './pages.js';
import { usageOf } from './resellers.js';
import { signalOf } from './signal.js';

const cookieName = 'portal';
// A stamp has no end of its own. The browser forgets it after a working day.
const cookieSeconds = 12 * 60 * 60;

const text = { type: 'string' } as const;

/** A signed-in reseller. */
interface Visitor {
  readonly agency: Agency;
  readonly reseller: string;
}

/** Whether a browser asks, and shows what it gets; programs get JSON. */
function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') ?? false;
}

function sendPage(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').header('content-security-policy', pagePolicy).send(page);
}

/** What the cookie is at this host: no domain, so that no other host is sent it. */
function cookieOptions(request: FastifyRequest) {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: request.protocol === 'https' } as const;
}

function forget(request: FastifyRequest, reply: FastifyReply): void {
  reply.clearCookie(cookieName, cookieOptions(request));
}

export function portal(app: FastifyInstance, platform: Platform): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('referrer-policy', 'same-origin');
    // Login domains are siblings, so a cookie's SameSite lets one reseller's page send forms to
    // another's. The origin tells them apart.
    const { origin } = request.headers;
    if (request.method === 'POST' && origin !== undefined && hostOf(origin) !== request.host) {
      throw new Refusal(403, 'foreign_origin', 'the form belongs to another page');
    }
  });

  // Programs get the same errors here as everywhere; people get a page that lets them go on.
  app.setErrorHandler(async (error, request, reply) => {
    if (!wantsPage(request) || isGone(request)) return sendError(error, request, reply);
    const answer = answerOf(error);
    logError(request.log, error, answer.status);
    reply.headers(answer.headers);
    if (error instanceof AccessDeniedError) {
      forget(request, reply);
      return reply.redirect('/sign-in', 303);
    }
    return sendPage(reply, answer.status, messagePage('That did not work', answer.error.message));
  });

  /** Whose stamp the request's cookie holds, while it is valid here: asked at every request. */
  async function visitorOf(request: FastifyRequest): Promise<Visitor> {
    const signal = signalOf(request);
    const stamp = request.cookies[cookieName] ?? '';
    // The host is always given, be it empty: without it a stamp would be valid at every host.
    const { agency, reseller } = await platform.checkAccess(stamp, request.host, { signal });
    return { agency: await platform.agency(agency, { signal }), reseller };
  }

  async function sendSignIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { agency, reseller }: ResolvedHost,
    { status = 200, email = '', note }: { status?: number; email?: string; note?: Note | undefined } = {},
  ): Promise<FastifyReply> {
    const signal = signalOf(request);
    const { name } = await (await platform.agency(agency, { signal })).reseller(reseller, { signal });
    return sendPage(reply, status, signInPage(name, email, note));
  }

  async function sendOwnPage(
    request: FastifyRequest,
    reply: FastifyReply,
    { agency, reseller }: Visitor,
    { status = 200, note }: { status?: number; note?: Note } = {},
  ): Promise<FastifyReply> {
    const signal = signalOf(request);
    const [record, usage, { timeZone }] = await Promise.all([
      agency.reseller(reseller, { signal }),
      usageOf(agency, reseller, signal),
      agency.settings({ signal }),
    ]);
    return sendPage(reply, status, ownPage(record, usage, timeZone, note));
  }

  app.get('/', async (request, reply) => sendOwnPage(request, reply, await visitorOf(request)));

  app.get('/me', async (request) => {
    const { agency, reseller } = await visitorOf(request);
    const { name, email, loginDomain } = await agency.reseller(reseller, { signal: signalOf(request) });
    return { name, email, loginDomain, usage: await usageOf(agency, reseller, signalOf(request)) };
  });

  app.get<{ Querystring: { changed?: string } }>('/sign-in', async (request, reply) => {
    const place = await platform.resolveHost(request.host, { signal: signalOf(request) });
    const note = 'changed' in request.query ? { text: 'Your password is changed. Sign in with the new one.' } : undefined;
    return sendSignIn(request, reply, place, { note });
  });

  app.post<{ Body: { email: string; password: string } }>(
    '/sign-in',
    {
      schema: {
        body: { type: 'object', properties: { email: text, password: text }, required: ['email', 'password'] },
      },
    },
    async (request, reply) => {
      const signal = signalOf(request);
      const { email, password } = request.body;
      const place = await platform.resolveHost(request.host, { signal });
      try {
        const { stamp, reseller } = await platform.signIn(
          { loginDomain: place.loginDomain, email, password, source: request.ip },
          { signal },
        );
        reply.setCookie(cookieName, stamp, { ...cookieOptions(request), maxAge: cookieSeconds });
        return wantsPage(request) ? reply.redirect('/', 303) : { name: reseller.name };
      } catch (error) {
        if (!wantsPage(request) || isGone(request)) throw error;
        const refused =
          error instanceof AccessDeniedError
            ? 'The email or the password is not right.'
            : error instanceof ThrottledError
              ? 'Too many sign-ins from your network failed. Wait a little, then try again.'
              : undefined;
        if (refused === undefined) throw error;
        const { status, headers } = answerOf(error);
        reply.headers(headers);
        return sendSignIn(request, reply, place, { status, email, note: { text: refused, bad: true } });
      }
    },
  );

  app.post<{ Body: { current: string; password: string; passwordConfirmation: string } }>(
    '/password',
    {
      schema: {
        body: {
          type: 'object',
          properties: { current: text, password: text, passwordConfirmation: text },
          required: ['current', 'password', 'passwordConfirmation'],
        },
      },
    },
    async (request, reply) => {
      const { current, password, passwordConfirmation } = request.body;
      const visitor = await visitorOf(request);
      const { agency, reseller } = visitor;
      try {
        await agency
          .actingAs(`reseller:${reseller}`)
          .changePassword({ id: reseller, current, password, passwordConfirmation }, { signal: signalOf(request) });
      } catch (error) {
        if (!wantsPage(request) || isGone(request)) throw error;
        const { status, error: said } = answerOf(error);
        if (status !== 401 && status !== 422) throw error;
        const note = {
          text: status === 401 ? 'The current password is not right.' : `The new password does not do: ${said.message}.`,
          bad: true,
        };
        return sendOwnPage(request, reply, visitor, { status, note });
      }
      // Every stamp from before has ended, the one of this cookie too.
      forget(request, reply);
      return wantsPage(request) ? reply.redirect('/sign-in?changed', 303) : reply.code(204).send();
    },
  );

  app.post('/sign-out', async (request, reply) => {
    // Also without a valid stamp: whoever wants to be signed out is.
    forget(request, reply);
    return wantsPage(request) ? reply.redirect('/sign-in', 303) : reply.code(204).send();
  });

  // The cookie of this browser is one thing; a stamp that was copied ends only with all of them.
  app.post('/sign-out/everywhere', async (request, reply) => {
    const { agency, reseller } = await visitorOf(request);
    await agency.actingAs(`reseller:${reseller}`).revokeAccess(reseller, { signal: signalOf(request) });
    forget(request, reply);
    return wantsPage(request) ? reply.redirect('/sign-in', 303) : reply.code(204).send();
  });
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
