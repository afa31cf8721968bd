/** What the environment says. */

/** The settings of the application. */
export interface Settings {
  /** The store, as `Platform.open` takes it. */
  readonly store: string;
  /** The domain under which login domains live. */
  readonly loginBase: string;
  /** Tokens of the agencies' own programs, with the agency that each stands for. */
  readonly staffTokens: ReadonlyMap<string, string>;
  /** Tokens of metering services, likewise. */
  readonly meterTokens: ReadonlyMap<string, string>;
  /** The address to listen at. */
  readonly address: string;
  /** The port to listen at; with 0 the system chooses. */
  readonly port: number;
  /** The proxy, an address or a range, whose `X-Forwarded-…` headers are believed. */
  readonly trustedProxy: string | undefined;
  /** How much is logged. */
  readonly logLevel: string;
  /** How often the store is tidied up, in milliseconds. */
  readonly upkeepEvery: number;
}

/** Reads the settings; what is missing or wrong is an error that names the variable. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const value = (name: string) => environment[name] || undefined;
  return {
    store: value('PORTAL_STORE') ?? 'sqlite:portal.db',
    loginBase: value('PORTAL_LOGIN_BASE') ?? 'partner.localhost',
    staffTokens: tokens('PORTAL_STAFF_TOKENS', value('PORTAL_STAFF_TOKENS')),
    // A metering service is optional: an agency can begin without one.
    meterTokens: tokens('PORTAL_METER_TOKENS', value('PORTAL_METER_TOKENS') ?? ''),
    address: value('PORTAL_ADDRESS') ?? '127.0.0.1',
    port: whole('PORTAL_PORT', value('PORTAL_PORT') ?? '8000', 0, 65_535),
    trustedProxy: value('PORTAL_TRUSTED_PROXY'),
    logLevel: value('PORTAL_LOG_LEVEL') ?? 'info',
    upkeepEvery: 1_000 * whole('PORTAL_UPKEEP_SECONDS', value('PORTAL_UPKEEP_SECONDS') ?? '300', 1, 86_400),
  };
}

/** Reads `northwind=TOKEN,contoso=TOKEN`. */
function tokens(name: string, text: string | undefined): Map<string, string> {
  if (text === undefined) throw new Error(`${name} is required: AGENCY=TOKEN, separated by commas`);
  const read = new Map<string, string>();
  for (const entry of text.split(',').filter((entry) => entry.trim() !== '')) {
    const [agency, token] = entry.trim().split(/=(.*)/s);
    if (!agency || token === undefined || token.length < 16) {
      throw new Error(`${name}: each entry is AGENCY=TOKEN, and a token has 16 characters or more`);
    }
    // One token that stood for two agencies would open whichever came last.
    if (read.has(token)) throw new Error(`${name}: each token stands for one agency`);
    read.set(token, agency);
  }
  return read;
}

function whole(name: string, text: string, min: number, max: number): number {
  const read = Number(text);
  if (!Number.isInteger(read) || read < min || read > max) {
    throw new Error(`${name}: a whole number from ${min} to ${max}`);
  }
  return read;
}
