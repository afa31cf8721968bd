/** The library's errors. No message contains user input or a secret. */

import { native, type Failure } from './native';
import { readFieldError, type ErrorCode, type FieldError } from './records';
import type { Reader } from './values';

const statuses = native.httpStatuses();

/** The base of the library's errors. */
export class PartnerKitError extends Error {
  /** The stable kind of the error, the same in every language: `validation`, `not_found`, … */
  readonly code: ErrorCode;
  /** Every refused field, in the order of the form; empty unless input was refused. */
  readonly fields: readonly FieldError[];

  /** @internal */
  constructor(failure: Failure) {
    super(failure.message, Object.hasOwn(failure, 'cause') ? { cause: failure.cause } : undefined);
    this.code = failure.code as ErrorCode;
    this.fields = failure.fields as readonly FieldError[];
  }

  /**
   * The HTTP status for a client: 422 for refused input, 404 for a missing record, 401 for a
   * refused sign-in, 503 if the same request may succeed later.
   *
   * @example
   * ```ts
   * import { PartnerKitError } from 'partnerkit';
   *
   * try {
   *   await agency.reseller('00000000-0000-7000-8000-000000000000');
   *   assert.fail('it is there');
   * } catch (error) {
   *   if (!(error instanceof PartnerKitError)) throw error;
   *   assert.deepEqual([error.code, error.httpStatus], ['not_found', 404]);
   * }
   * ```
   */
  get httpStatus(): number {
    return statuses[this.code] ?? 500;
  }
}

/**
 * Input was refused; `fields` has every reason. Nothing was written.
 *
 * @example
 * ```ts
 * import { ValidationError } from 'partnerkit';
 *
 * try {
 *   await agency.createReseller({ ...form, name: '', loginDomain: 'Globex' });
 *   assert.fail('it is refused');
 * } catch (error) {
 *   if (!(error instanceof ValidationError)) throw error;
 *   const refused = error.fields.map(({ field, code }) => `${field}: ${code}`);
 *   assert.deepEqual(refused, ['name: empty', 'loginDomain: uppercase']);
 * }
 * ```
 */
export class ValidationError extends PartnerKitError {}

/**
 * The expected version is stale, or an idempotency key was used for another request. Nothing was
 * written.
 */
export class ConflictError extends PartnerKitError {
  /** The present version of the record; null for an idempotency key. */
  readonly currentVersion: number | null;

  /** @internal */
  constructor(failure: Failure) {
    super(failure);
    this.currentVersion = failure.currentVersion;
  }
}

/** There is no such record, or it belongs to another agency; these cannot be told apart. */
export class NotFoundError extends PartnerKitError {}

/** A sign-in or an access stamp was refused; the reason is not disclosed. */
export class AccessDeniedError extends PartnerKitError {}

/**
 * Too many passwords are being hashed; nothing was verified or counted. How long that lasts is not
 * known, so there is no `retryAfter`.
 */
export class BusyError extends PartnerKitError {}

/** Too many failed sign-ins from one source; nothing was verified. */
export class ThrottledError extends PartnerKitError {
  /** How long to wait, in milliseconds. */
  readonly retryAfter: number;

  /** @internal */
  constructor(failure: Failure) {
    super(failure);
    this.retryAfter = failure.retryAfter ?? 0;
  }
}

/** A file could not be read or written; what was done before stays. */
export class FileError extends PartnerKitError {}

/** A page cursor is damaged, foreign or from another query. */
export class InvalidCursorError extends PartnerKitError {}

/** The call needs a transaction of its own and cannot have one here. */
export class InsideTransactionError extends PartnerKitError {}

/**
 * A concurrent transaction interfered; the same call may succeed when it is repeated. It has nothing to
 * do with an `AbortSignal`, whose own error is called `AbortError`.
 */
export class AbortedError extends PartnerKitError {}

/** The connection was lost during COMMIT: read back before trying again. */
export class OutcomeUnknownError extends PartnerKitError {}

/** The platform was opened with settings, or with tables, that cannot work. */
export class ConfigurationError extends PartnerKitError {}

/**
 * The store failed; nothing of the call was written. If a storage is written in JavaScript, `cause`
 * is what it threw. The error of a database may quote the values of a row, which are personal data.
 */
export class StorageError extends PartnerKitError {}

/** The library has a defect and gave up the call; the next call works. */
export class InternalError extends PartnerKitError {}

/** The class of each code. */
export const byCode: Readonly<Record<string, typeof PartnerKitError>> = {
  validation: ValidationError,
  conflict: ConflictError,
  not_found: NotFoundError,
  access_denied: AccessDeniedError,
  busy: BusyError,
  throttled: ThrottledError,
  io: FileError,
  invalid_cursor: InvalidCursorError,
  inside_transaction: InsideTransactionError,
  aborted: AbortedError,
  outcome_unknown: OutcomeUnknownError,
  configuration: ConfigurationError,
  storage: StorageError,
  internal: InternalError,
};

// A class's own name, so that it stays when a bundler renames the class.
for (const [code, of] of Object.entries(byCode)) {
  const name =
    code === 'io'
      ? 'FileError'
      : `${code.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}Error`;
  Object.defineProperty(of.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** The error of a failure; one of a wrong type is a `TypeError`. */
export function errorOf(failure: Failure): Error {
  if (failure.code === 'type') return new TypeError(failure.message);
  const of = byCode[failure.code] ?? PartnerKitError;
  return new of(failure);
}

/** The error for settings that cannot work. */
export function configurationError(message: string, cause?: unknown): Error {
  return errorOf({ ...failureOf('configuration', message), ...(cause !== undefined && { cause }) });
}

/** A failure of the package's own. */
export function failureOf(
  code: string,
  message: string,
  fields: readonly FieldError[] = [],
): Failure {
  return { code, message, fields, currentVersion: null, retryAfter: null };
}

/** Reads the record that was made of a form, or why the form was refused (`One` in `src/home.rs`). */
export function made<T extends object>(read: Reader<T>): Reader<T | Failure> {
  return (from) => {
    const record = from.maybe(read);
    const message = from.next<string | null>();
    const fields = from.maybe((of) => of.list(readFieldError));
    if (record !== null) return record;
    return failureOf('validation', message ?? '', fields ?? []);
  };
}

/** The answers of several forms, each a record or an error, which is not thrown. */
export function withErrors<T extends object>(
  answers: readonly (T | Failure)[],
): (T | ValidationError)[] {
  const isFailure = (answer: T | Failure): answer is Failure => Object.hasOwn(answer, 'retryAfter');
  return answers.map((answer) => (isFailure(answer) ? new ValidationError(answer) : answer));
}
