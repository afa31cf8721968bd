/** The reseller layer of white-label SaaS. */

import { environment, now } from './calls';
import { native } from './native';
import { readPhoneCountry, type FieldCode, type PhoneCountry } from './records';
import { answer, type Reader } from './values';

export { Agency } from './agency';
export type { CallOptions } from './calls';
export {
  AbortedError,
  AccessDeniedError,
  BusyError,
  ConfigurationError,
  ConflictError,
  FileError,
  InsideTransactionError,
  InternalError,
  InvalidCursorError,
  NotFoundError,
  OutcomeUnknownError,
  PartnerKitError,
  StorageError,
  ThrottledError,
  ValidationError,
} from './errors';
export type { CsvDestination, CsvSource, ImportOptions } from './exchange';
export type * from './forms';
export { logCalls, type LoggedCall } from './logging';
export { CHANGE_KINDS, METRICS, PARTNER_TYPES, SORT_ORDERS, STATUSES, WINDOWS } from './lists';
export { Platform } from './platform';
export type * from './records';
export type { LegacyVerifier, Settings } from './settings';
export { schemaVersion, tables } from './storage';
export type {
  Answer,
  Bound,
  Column,
  ColumnValue,
  Filter,
  Index,
  Lock,
  Mode,
  Question,
  Row,
  Scan,
  StorageOptions,
  Table,
  TableStore,
  TableTransaction,
  Write,
} from './storage';
export type { Instant, Slug } from './texts';

/** The version of the package. */
export const version: string = native.version();

/**
 * Every country of the telephone numbering plan, by code: for a form's drop-down.
 *
 * @example
 * ```ts
 * import { phoneCountries } from 'partnerkit';
 *
 * const us = phoneCountries().find((country) => country.code === 'US');
 * assert.deepEqual([us?.callingCode, us?.example], [1, '2015550123']);
 * ```
 */
export function phoneCountries(): readonly PhoneCountry[] {
  return answer(environment.phoneCountries(), (from) => from.list(readPhoneCountry));
}

/**
 * A phone number as it is written in its country. Throws `ValidationError` with `phone` if the
 * text is not an international number.
 *
 * @example
 * ```ts
 * import { nationalFormat } from 'partnerkit';
 *
 * assert.equal(nationalFormat('+14155552671'), '(415) 555-2671');
 * ```
 */
export function nationalFormat(phone: string): string {
  return now(native.nationalFormat(phone));
}

/** Why a field can be refused. */
export interface Code {
  /** The stable slug (`taken`). */
  readonly slug: FieldCode;
  /** The English text (`is already in use`); it may be improved. */
  readonly text: string;
}

const readCode: Reader<Code> = (from) => ({ slug: from.next(), text: from.next() });

/**
 * Every code of a refused field, with its English text: for translations.
 *
 * @example
 * ```ts
 * import { fieldCodes } from 'partnerkit';
 *
 * const german = new Map([['taken', 'ist schon vergeben']]); // what it lacks stays English
 * const texts = new Map();
 * for (const { slug, text } of fieldCodes()) texts.set(slug, german.get(slug) ?? text);
 * assert.equal(texts.get('taken'), 'ist schon vergeben');
 * assert.equal(texts.get('reserved'), 'is reserved');
 * ```
 */
export function fieldCodes(): readonly Code[] {
  return answer(environment.fieldCodes(), (from) => from.list(readCode));
}
