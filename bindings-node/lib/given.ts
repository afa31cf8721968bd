/** Objects whose fields are arguments: options, requests and settings. */

import { types } from 'node:util';

/**
 * The own fields of an object. What every object inherits is none of them, because a polluted
 * `Object.prototype` must not decide anything. Getters of a class are refused: whoever has written
 * them expects that they are read.
 */
export function fieldsOf<T extends object>(what: string, given: T): T {
  if (typeof given !== 'object' || (given as unknown) === null || Array.isArray(given)) {
    throw new TypeError(`${what}: expected an object`);
  }
  const fields = Object.assign(Object.create(null) as T, given);
  // An object of another kind (a `Map`, for example) would look as if it were empty.
  if (Object.keys(fields).length === 0 && !isPlain(given)) {
    throw new TypeError(`${what}: expected an object with fields`);
  }
  const getter = getterOf(given);
  if (getter !== undefined) {
    throw new TypeError(`${what}: '${getter}' is a getter of a class; only own fields are read`);
  }
  return fields;
}

/** The name of a getter that an object has by its class. */
function getterOf(given: object): string | undefined {
  for (let of = above(given); of !== null && above(of) !== null; of = above(of)) {
    const descriptors = Object.entries(Object.getOwnPropertyDescriptors(of));
    const getter = descriptors.find(([, descriptor]) => 'get' in descriptor);
    if (getter !== undefined) return getter[0];
  }
  return undefined;
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
