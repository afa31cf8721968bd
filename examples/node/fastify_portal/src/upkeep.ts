/** Tidies the store up now and then, so that nothing in it grows for ever. */
import { setTimeout } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { Platform } from 'partnerkit';

/** Begins upkeep at once, and returns a function that ends it. */
export function beginUpkeep(platform: Platform, every: number, log: FastifyBaseLogger): () => Promise<void> {
  const end = new AbortController();
  const { signal } = end;
  const running = (async () => {
    while (!signal.aborted) {
      try {
        // One call does only so much, so that no transaction is long.
        while (!(await platform.maintain({ signal })).finished);
      } catch (error) {
        // A store that is away comes back; the next turn does what this one did not.
        if (!signal.aborted) log.error({ err: error }, 'upkeep failed');
      }
      await setTimeout(every, undefined, { signal, ref: false }).catch(() => undefined);
    }
  })();
  return async () => {
    end.abort();
    await running;
  };
}
