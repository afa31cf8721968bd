/**
 * Packs a list of small objects into one text, so that they cross to the native module at once: a batch
 * of usage has thousands of values. `src/unpacked.rs` reads it, on the thread of the call.
 *
 * The text is the JSON of one array. For each object it has the values of its fields in order, and then
 * the first name that such an object does not have, or null. A text, a number or null stands for itself;
 * true and a number of milliseconds are an instant, true and a text are the digits of a `bigint`, and
 * false is a value of any other type, which the core refuses.
 */

import { types } from 'node:util';

/** The functions as they are now: a host may replace them. */
const { hasOwn, keys, defineProperty } = Object;
const { stringify } = JSON;
const { isArray } = Array;
const { isSafeInteger } = Number;
const { isDate } = types;
const { getTime } = Date.prototype as { getTime: (this: Date) => number };
const { isWellFormed } = String.prototype as unknown as { isWellFormed: (this: string) => boolean };

/** More objects than any list may have: a longer one is refused anyway, so the rest is not read. */
const MOST = 100_001;

type Packed = (string | number | boolean | null)[];

/** Packs the fields with these names; what an object inherits is none of them. */
export function packed(what: string, list: readonly object[], names: readonly string[]): string {
  if (!isArray(list)) throw new TypeError(`${what}: expected an array of objects`);
  const out: Packed = [];
  for (let place = 0; place < list.length && place < MOST; place += 1) {
    const item: unknown = list[place];
    if (item === undefined && !(place in list)) {
      throw new TypeError(`${what}: the array has a hole`);
    }
    add(out, item, names);
  }
  // What all objects inherit does not count here, either.
  defineProperty(out, 'toJSON', { value: undefined });
  return stringify(out);
}

/** What is no object has no fields, and is refused alone, as an object without them is. */
function add(out: Packed, item: unknown, names: readonly string[]): void {
  const object = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
  let found = 0;
  for (const name of names) {
    if (hasOwn(object, name)) {
      found += 1;
      addValue(out, object[name]);
    } else {
      out.push(null);
    }
  }
  const own = keys(object);
  // Most have no other names, and it takes time to look at each.
  out.push(own.length > found ? unknownName(object, own, names) : null);
}

/** The first name that there is not; one whose value is undefined is left out. */
function unknownName(
  object: Record<string, unknown>,
  own: readonly string[],
  names: readonly string[],
): string | null {
  const isUnknown = (name: string): boolean => !names.includes(name) && object[name] !== undefined;
  return own.find(isUnknown) ?? null;
}

function addValue(out: Packed, value: unknown): void {
  switch (typeof value) {
    case 'undefined':
      out.push(null);
      break;
    case 'string':
      // Half a character has no place in JSON that the core can read.
      out.push(isWellFormed.call(value) ? value : false);
      break;
    case 'number':
      out.push(isSafeInteger(value) ? value : false);
      break;
    case 'bigint':
      out.push(true, digits(value));
      break;
    default:
      addObject(out, value);
  }
}

function addObject(out: Packed, value: unknown): void {
  if (value === null) {
    out.push(null);
    return;
  }
  const time = isDate(value) ? getTime.call(value) : NaN;
  if (Number.isNaN(time)) out.push(false);
  else out.push(true, time);
}

/** The digits of an integer; one of more than 128 bits becomes the largest of these. */
function digits(value: bigint): string {
  if (BigInt.asIntN(128, value) === value) return String(value);
  return String(value < 0n ? -(2n ** 127n) : 2n ** 127n - 1n);
}
