/** Calls wait only as long as somebody waits for their answer. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Gives each request a signal that is aborted when its client goes away before the answer. */
export function watchClients(app: FastifyInstance): void {
  app.decorateRequest('clientGone');
  app.addHook('onRequest', async (request, reply) => {
    const gone = new AbortController();
    // The response's end, not the request's: a request is closed as soon as its body has been read,
    // and that is also when `request.signal` of Fastify is aborted.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    request.setDecorator('clientGone', gone.signal);
  });
}

/** The signal for every call that a request makes. */
export function signalOf(request: FastifyRequest): AbortSignal {
  return request.getDecorator<AbortSignal>('clientGone');
}
