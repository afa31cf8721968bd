/** The application: what it consists of, and in what order it begins and ends. */
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import Fastify, { type FastifyInstance } from 'fastify';
import { logCalls, type Platform } from 'partnerkit';
import { handleErrors } from './errors.js';
import { files } from './files.js';
import { guard, holders } from './guard.js';
import { portal } from './portal.js';
import { resellers } from './resellers.js';
import type { Settings } from './settings.js';
import { watchClients } from './signal.js';
import { beginUpkeep } from './upkeep.js';
import { usage } from './usage.js';
import { toJson } from './values.js';

/** Builds the application on an open platform, which it closes when it is closed itself. */
export async function buildApp(platform: Platform, settings: Settings): Promise<FastifyInstance> {
  const app = Fastify({
    logger: {
      level: settings.logLevel,
      serializers: {
        // Not the query: a search holds names and addresses, and so does the cursor of a page.
        req: ({ method, url, ip }) => ({ method, path: url.split('?', 1)[0], ip }),
      },
    },
    ...(settings.trustedProxy !== undefined && { trustProxy: settings.trustedProxy }),
    // The library reads forms itself, and says what is wrong with each field. What is left for
    // schemas must be taken as it is: neither made into another type nor silently left out.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });

  const endOfLog = logCalls((call) => app.log.debug(call, 'partnerkit'));
  const endOfUpkeep = beginUpkeep(platform, settings.upkeepEvery, app.log);
  // This runs when no request is left, so none meets a closed platform.
  app.addHook('onClose', async () => {
    await endOfUpkeep();
    await platform.close();
    endOfLog();
  });

  app.setReplySerializer(toJson);
  watchClients(app);
  handleErrors(app);
  await app.register(cookie);
  await app.register(formbody);

  const staff = await holders(platform, settings.staffTokens);
  const meters = await holders(platform, settings.meterTokens);
  await app.register(
    async (part) => {
      guard(part, staff);
      resellers(part, platform);
      await part.register(files);
    },
    { prefix: '/agency' },
  );
  await app.register(
    async (part) => {
      guard(part, meters);
      usage(part);
    },
    { prefix: '/meter' },
  );
  await app.register(async (part) => portal(part, platform));
  return app;
}
