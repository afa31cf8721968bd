/**
 * Reads what the native module answers with: one text for an answer, which is the JSON of its values in
 * order (`src/packed.rs`). The readers of records are generated, in `records.ts`.
 */

import { fieldName } from './names';

/** The functions as they are now: a host may replace them. */
const { parse } = JSON;
const { defineProperty: define } = Object;

/** Reads one value of a type. */
export type Reader<T> = (from: Values) => T;

/** The values of an answer, which are read in their order. */
export class Values {
  readonly #values: readonly unknown[];
  #at = 0;

  constructor(text: string) {
    this.#values = parse(text) as unknown[];
  }

  /** The next value. Its type is what the native module puts in this place. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows it
  next<T>(): T {
    return this.#values[this.#at++] as T;
  }

  /** A record, a list or a map that may be missing. */
  maybe<T>(read: Reader<T>): T | null {
    return this.next() === null ? null : read(this);
  }

  /** An instant, an integer or a name that may be missing. */
  nullable<T>(read: Reader<T>): T | null {
    return this.#values[this.#at] === null ? this.next<null>() : read(this);
  }

  list<T>(read: Reader<T>): T[] {
    const items = new Array<T>(this.next<number>());
    for (let place = 0; place < items.length; place += 1) items[place] = read(this);
    return items;
  }

  map<T>(read: Reader<T>): Record<string, T> {
    const map: Record<string, T> = {};
    for (let left = this.next<number>(); left > 0; left -= 1) {
      const key = this.next<string>();
      const value = read(this);
      // Assigning it would set the object's prototype.
      if (key === '__proto__')
        define(
          map,
          key,
          Object.assign(Object.create(null), { value, ...PLAIN }) as PropertyDescriptor,
        );
      else map[key] = value;
    }
    return map;
  }

  /** Checks that every value was read, and none that is not there. */
  end(): void {
    if (this.#at === this.#values.length) return;
    throw new Error(`an answer has ${this.#values.length} values, of which ${this.#at} were read`);
  }
}

const PLAIN = { writable: true, enumerable: true, configurable: true };

/** A whole answer. */
export function answer<T>(text: string, read: Reader<T>): T {
  const values = new Values(text);
  const made = read(values);
  values.end();
  return made;
}

/** No value at all. */
export const nothing: Reader<void> = () => undefined;

/** A text, a number, a truth value or null. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows it
export function single<T>(from: Values): T {
  return from.next<T>();
}

export const date: Reader<Date> = (from) => new Date(from.next<number>());

/** An integer that may pass 2^53. */
export const integer: Reader<bigint> = (from) => BigInt(from.next<number | string>());

/** The name of a field, which the core spells in another way. */
export const nameOfField: Reader<string> = (from) => fieldName(from.next());
