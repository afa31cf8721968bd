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
const { keys, setPrototypeOf } = Object;
const { stringify } = JSON;
const { isArray } = Array;
const { isSafeInteger } = Number;
const { isDate } = types;
const { getTime } = Date.prototype as { getTime: (this: Date) => number };
const { isWellFormed, toWellFormed } = String.prototype as unknown as {
  isWellFormed: (this: string) => boolean;
  toWellFormed: (this: string) => string;
};
const { propertyIsEnumerable: hasOwn } = Object.prototype as {
  propertyIsEnumerable: (this: object, name: string) => boolean;
};

/** More objects than any list may have: a longer one is refused anyway, so the rest is not read. */
const MOST = 100_001;

/**
 * The values in order. It inherits nothing, so that neither a setter nor a `toJSON` that all arrays
 * inherit changes what is packed; so it has no `push`.
 */
type Packed = (string | number | boolean | null)[];

/** Packs the fields with these names; what an object inherits is none of them. */
export function packed(what: string, list: readonly object[], names: readonly string[]): string {
  if (!isArray(list)) throw new TypeError(`${what}: expected an array of objects`);
  const out: Packed = setPrototypeOf([], null) as Packed;
  for (let place = 0; place < list.length && place < MOST; place += 1) {
    const item: unknown = list[place];
    if (item === undefined && !(place in list)) {
      throw new TypeError(`${what}: the array has a hole`);
    }
    add(out, item, names);
  }
  return stringify(out);
}

/** What is no object has no fields, and is refused alone, as an object without them is. */
function add(out: Packed, item: unknown, names: readonly string[]): void {
  const object = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
  let found = 0;
  for (let place = 0; place < names.length; place += 1) {
    const name = names[place] as string;
    if (hasOwn.call(object, name)) {
      found += 1;
      addValue(out, object[name]);
    } else {
      out[out.length] = null;
    }
  }
  const own = keys(object);
  // Most have no other names, and it takes time to look at each.
  out[out.length] = own.length > found ? unknownName(object, own, names) : null;
}

/** The first name that there is not; one whose value is undefined is left out. */
function unknownName(
  object: Record<string, unknown>,
  own: readonly string[],
  names: readonly string[],
): string | null {
  for (let place = 0; place < own.length; place += 1) {
    const name = own[place] as string;
    if (!isAmong(name, names) && object[name] !== undefined) return toWellFormed.call(name);
  }
  return null;
}

function isAmong(name: string, names: readonly string[]): boolean {
  for (let place = 0; place < names.length; place += 1) if (names[place] === name) return true;
  return false;
}

function addValue(out: Packed, value: unknown): void {
  switch (typeof value) {
    case 'undefined':
      out[out.length] = null;
      break;
    case 'string':
      // Half a character has no place in JSON that the core can read.
      out[out.length] = isWellFormed.call(value) ? value : false;
      break;
    case 'number':
      out[out.length] = isSafeInteger(value) ? value : false;
      break;
    case 'bigint':
      out[out.length] = true;
      out[out.length] = digits(value);
      break;
    default:
      addObject(out, value);
  }
}

function addObject(out: Packed, value: unknown): void {
  if (value === null) {
    out[out.length] = null;
    return;
  }
  const time = isDate(value) ? getTime.call(value) : NaN;
  const isInstant = !Number.isNaN(time);
  out[out.length] = isInstant;
  if (isInstant) out[out.length] = time;
}

/** The digits of an integer; one of more than 128 bits becomes the largest of these. */
function digits(value: bigint): string {
  if (BigInt.asIntN(128, value) === value) return String(value);
  return String(value < 0n ? -(2n ** 127n) : 2n ** 127n - 1n);
}
