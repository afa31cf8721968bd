/** Values on their way in and out. */
import { Refusal } from './errors.js';

/**
 * A value as JSON. Usage is a bigint and may pass 2^53, where other languages' JSON loses digits, so
 * it is sent as decimal text: always, since a type that changes with the size would surprise readers.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}

/** A schema for a whole number: a JSON number, or decimal text as `toJson` writes it. */
export const wholeNumber = {
  anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^[0-9]{1,20}$' }],
} as const;

/** A whole number that was given as `wholeNumber`. */
export function whole(given: number | string): number | bigint {
  return typeof given === 'string' ? BigInt(given) : given;
}

/** A number of a query string. What is none is NaN, which the library refuses with the field's name. */
export function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** An instant of a query string; an invalid one is refused by the library likewise. */
export function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

/** The tag of a version, for `ETag` and `If-Match`. */
export function tagOf(record: { readonly version: number }): string {
  return `"${record.version}"`;
}

/** The version that a client expects; undefined if any will do (`*`). */
export function expectedVersion(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) {
    throw new Refusal(428, 'version_required', 'say in If-Match which version is meant to change');
  }
  if (ifMatch.trim() === '*') return undefined;
  const version = /^\s*"([0-9]{1,15})"\s*$/.exec(ifMatch)?.[1];
  if (version === undefined) throw new Refusal(400, 'bad_request', 'If-Match is one ETag of this API, or *');
  return Number(version);
}
