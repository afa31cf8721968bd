import { types } from 'node:util';

import { configurationError } from './errors';
import { fieldsOf, ownFieldsOf } from './given';
import type { Dispatcher } from './native';

/**
 * Checks passwords against hashes of a scheme that the host used before.
 *
 * @example
 * ```ts
 * import { createHash } from 'node:crypto';
 * import { Platform } from 'partnerkit';
 *
 * const sha1 = (text: string) => `sha1:${createHash('sha1').update(text).digest('hex')}`;
 * const legacyVerifier = {
 *   recognises: (hash: string) => hash.startsWith('sha1:'),
 *   verify: (typed: string, hash: string) => sha1(typed) === hash,
 * };
 *
 * const moved = await Platform.open('memory:', { legacyVerifier });
 * const agency = await moved.createAgency('northwind');
 * const passwordHash = sha1('an old password');
 * await agency.createReseller({ ...form, invite: false, passwordHash });
 * const email = 'owner@globex.example';
 * const login = { loginDomain: 'globex', email, password: 'an old password' };
 * assert.equal((await moved.signIn(login)).reseller.name, 'Globex');
 * ```
 */
export interface LegacyVerifier {
  /** Whether a text is a hash of the scheme. */
  recognises(hash: string): boolean | Promise<boolean>;
  /**
   * Whether the password is right for the hash. If this throws, the sign-in is refused like any
   * other, but not counted as a failure, and the process gets a warning.
   */
  verify(password: string, hash: string): boolean | Promise<boolean>;
}

/**
 * The settings of `Platform.open`. All are optional. Durations are in milliseconds, unless it is said
 * otherwise.
 *
 * @example
 * ```ts
 * import { Platform } from 'partnerkit';
 *
 * const hours = 60 * 60 * 1_000;
 * const own = await Platform.open('memory:', {
 *   loginBase: 'partner.example.com',
 *   reserve: ['shop'],
 *   secondFactor: true,
 *   keepChanges: 30 * 24 * hours,
 * });
 * const { refused } = await own.domainAvailability('shop');
 * assert.equal(refused, 'reserved');
 * ```
 */
export interface Settings {
  /**
   * The domain under which login domains live: with `partner.example.com` a reseller's customers sign
   * in at `https://acme.partner.example.com`. The default is `partner.localhost`.
   */
  readonly loginBase?: string | null | undefined;
  /** Which login domains are allowed: letters only (the default), or DNS labels. */
  readonly loginDomains?: 'letters' | 'dns' | null | undefined;
  /** Reserved labels, in addition to the built-in ones. */
  readonly reserve?: readonly string[] | null | undefined;
  /** Reserved labels, instead of the built-in ones. */
  readonly reserveOnly?: readonly string[] | null | undefined;
  /** For how many days nobody else can take a label that was released; by default 30. */
  readonly quarantine?: number | 'immediately' | 'never' | null | undefined;
  /**
   * Whether the host uses a second factor: if so, passwords have 8 characters or more, otherwise 15
   * or more.
   */
  readonly secondFactor?: boolean | null | undefined;
  /**
   * How many passwords are hashed at once, each with 20 MiB and a core, and how many more may wait. By
   * default as many are hashed as there are cores, at most 64, and 50 wait for each, at most 200.
   */
  readonly hashing?: { readonly atOnce: number; readonly queue: number } | null | undefined;
  /**
   * The cost of a hash with Argon2id: memory in KiB, passes and lanes. The default, which is the least
   * that is taken, is 19,456 KiB, two passes and one lane.
   */
  readonly hashingCost?:
    { readonly memory: number; readonly passes: number; readonly lanes: number } | null | undefined;
  /** Keys that are mixed into password hashes, by number; new hashes use the largest number. */
  readonly peppers?: Readonly<Record<number, Uint8Array>> | null | undefined;
  /** Checks passwords against hashes of an older system; at success they are hashed anew. */
  readonly legacyVerifier?: LegacyVerifier | null | undefined;
  /** After how many failures in a row further sign-ins of an account are refused; by default 100. */
  readonly signInLimit?: number | null | undefined;
  /** From which failure in a row on an account has to wait; by default 10. */
  readonly signInDelayFrom?: number | null | undefined;
  /**
   * How many sign-ins from one source may fail at once (`burst`), and after how long one more may
   * (`every`); by default 50 and ten seconds.
   */
  readonly sourceLimit?: { readonly burst: number; readonly every: number } | null | undefined;
  /**
   * The platform's secrets of 32 bytes, by number; the largest number is the present one. Without
   * them the store keeps a secret that it made itself.
   */
  readonly secrets?: Readonly<Record<number, Uint8Array>> | null | undefined;
  /** How long idempotency keys are kept; by default 24 hours. */
  readonly keepIdempotencyKeys?: number | null | undefined;
  /** How long entries of the change feed are kept; by default for ever. */
  readonly keepChanges?: number | null | undefined;
  /**
   * How long after its time an event may be recorded, in milliseconds: from an hour to 3,650 days; by
   * default 35 days. Events are kept five days longer. Every process sets the same.
   */
  readonly usageLateness?: number | null | undefined;
  /**
   * A function that returns the time, for tests. One that returns no valid `Date` when the platform is
   * opened is a `ConfigurationError`; if it fails later, the process gets a warning once, and the call
   * has the system's time.
   */
  readonly clock?: (() => Date) | null | undefined;
}

/** Settings that have fields of their own. */
const WITH_FIELDS = new Set(['hashing', 'hashingCost', 'peppers', 'sourceLimit', 'secrets']);

/** The fields of settings, and of those among them that have fields of their own. */
export function ownSettings<T extends object>(given: T): T {
  const own = fieldsOf('settings', given);
  for (const [name, value] of Object.entries(own) as [keyof T & string, unknown][]) {
    const hasFields = WITH_FIELDS.has(name) && typeof value === 'object' && !Array.isArray(value);
    if (hasFields && value !== null) own[name] = ownFieldsOf(name, value) as T[keyof T & string];
  }
  return own;
}

const NO_CLOCK = 'clock: expected a function that returns a valid Date';

/** The time that the host's clock tells. */
function timeOf(clock: () => Date): Date {
  const at: unknown = clock();
  if (!types.isDate(at) || Number.isNaN(at.getTime())) throw new TypeError(NO_CLOCK);
  return at;
}

/** Asks a clock once, so that one that tells no time is refused, and not found out about later. */
function checkClock({ clock }: Settings): void {
  // What is no function is refused with the other settings of another type.
  if (typeof clock !== 'function') return;
  try {
    timeOf(clock);
  } catch (cause) {
    throw configurationError(NO_CLOCK, cause);
  }
}

/** Calls the functions among the settings. */
export function settingsDispatcher(settings: Settings): Dispatcher {
  checkClock(settings);
  // A clock that fails may do so at each call, so it is told of once.
  let isClockTold = false;
  return async (_call, _object, method, args) => {
    try {
      if (method === 'clock') return settings.clock ? timeOf(settings.clock) : undefined;
      const [first, second] = args as [string, string];
      const verifier = settings.legacyVerifier;
      return await (method === 'verify'
        ? verifier?.verify(first, second)
        : verifier?.recognises(first));
    } catch (error) {
      if (method !== 'clock' || !isClockTold) {
        process.emitWarning(
          types.isNativeError(error) ? error : `${method} of the settings has thrown`,
        );
      }
      isClockTold ||= method === 'clock';
      throw error;
    }
  };
}
