/** What is told of each call. */

import { types } from 'node:util';

import { native } from './native';

const { isNativeError } = types;

/** One call: never a name, an address or a secret. */
export interface LoggedCall {
  /** The operation, as the core names it (`create_reseller`). */
  readonly operation: string;
  /** The agency of the call; not there for calls of the whole platform. */
  readonly agency?: string;
  /** The reseller of the call, where it has one. */
  readonly reseller?: string;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
  /** How long the call took on its thread, in microseconds. */
  readonly microseconds: number;
  /** What else the core says of some operations, as texts. */
  readonly [other: string]: string | number | undefined;
}

const listeners = new Set<(call: LoggedCall) => void>();

/**
 * From now on tells a function of every call of this thread, and returns a function that ends that.
 * What the function throws is a warning of the process.
 *
 * @example
 * ```ts
 * import { logCalls } from 'partnerkit';
 *
 * const lines: string[] = [];
 * const stop = logCalls(({ operation, agency, outcome }) => {
 *   lines.push(`${operation} of ${agency}: ${outcome}`);
 * });
 * await agency.overview();
 * stop();
 * assert.deepEqual(lines, ['overview of northwind: ok']);
 * ```
 */
export function logCalls(listener: (call: LoggedCall) => void): () => void {
  native.logCalls();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Tells every listener of a call. */
export function tell(log: Record<string, string>): void {
  if (listeners.size === 0) return;
  const call = { ...log, microseconds: Number(log['microseconds']) } as unknown as LoggedCall;
  for (const listener of listeners) {
    try {
      listener(call);
    } catch (error) {
      process.emitWarning(isNativeError(error) ? error : 'a listener of logCalls has thrown');
    }
  }
}
