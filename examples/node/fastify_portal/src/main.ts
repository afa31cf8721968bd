/** Runs the application until it is told to end. */
import { Platform } from 'partnerkit';
import { buildApp } from './app.js';
import { readSettings } from './settings.js';

const settings = readSettings(process.env);
const platform = await Platform.open(settings.store, { loginBase: settings.loginBase });
const app = await buildApp(platform, settings);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Only once: a second signal ends the process at once, for whoever does not want to wait.
  process.once(signal, () => {
    app.log.info({ signal }, 'closing');
    app.close().then(
      () => app.log.info('closed'),
      (error: unknown) => {
        app.log.fatal({ err: error }, 'closing failed');
        process.exitCode = 1;
      },
    );
  });
}

await app.listen({ host: settings.address, port: settings.port });
