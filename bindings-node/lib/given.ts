/** Objects whose fields are arguments: options, requests and settings. */

import { types } from 'node:util';

/**
 * The fields of an object: its own, and the getters of its class (an `AbortController` has `signal`).
 * What every object inherits is none of them, because a polluted `Object.prototype` must not decide
 * anything.
 */
export function fieldsOf<T extends object>(what: string, given: T): T {
  const fields = ownOf(what, given);
  for (let of = above(given); of !== null && above(of) !== null; of = above(of)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(of))) {
      const field = name as keyof T;
      if ('get' in descriptor && !(field in fields)) fields[field] = given[field];
    }
  }
  return needed(what, given, fields);
}

/** The own fields of an object, whose names are the host's. */
export function ownFieldsOf<T extends object>(what: string, given: T): T {
  return needed(what, given, ownOf(what, given));
}

function ownOf<T extends object>(what: string, given: T): T {
  if (typeof given !== 'object' || (given as unknown) === null || Array.isArray(given)) {
    throw new TypeError(`${what}: expected an object`);
  }
  return Object.assign(Object.create(null) as T, given);
}

/** Refuses an object of another kind (a `Map`, for example), which would look as if it were empty. */
function needed<T extends object>(what: string, given: T, fields: T): T {
  if (Object.keys(fields).length > 0 || isPlain(given)) return fields;
  throw new TypeError(`${what}: expected an object with fields`);
}

/**
 * The fields of an object with arguments. A name that is not among these is an error, because a
 * mistyped one would be an argument that was left out.
 */
export function named<T extends object>(what: string, given: T, names: readonly string[]): T {
  const fields = fieldsOf(what, given);
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`${what}: there is no '${unknown}'`);
  return fields;
}

function above(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}

/** Whether an object has the prototype of `{}`, or none. */
function isPlain(object: object): boolean {
  const prototype = above(object);
  return prototype === null || above(prototype) === null;
}

/** The promise of something that can be awaited, from whichever library or realm it comes. */
export function promised(value: unknown): Promise<unknown> | undefined {
  if (types.isPromise(value)) return value;
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const then = isObject ? (value as { then?: unknown }).then : undefined;
  return typeof then === 'function' ? Promise.resolve(value) : undefined;
}
