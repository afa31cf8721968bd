/** Calls of the native module: each has a number, by which its result comes back. */

import { AsyncResource } from 'node:async_hooks';
import * as timers from 'node:timers';

import { errorOf } from './errors';
import { tell } from './logging';
import { native, type Failure, type Settle, type Start, type Synchronous } from './native';
import { factories } from './records';

/** What every operation takes beside its arguments. */
export interface CallOptions {
  /**
   * Ends the wait: the promise is rejected with the signal's reason. A call that has not begun never
   * runs; a call that has begun runs to its end, and its result is dropped.
   */
  readonly signal?: AbortSignal | undefined;
}

class Failed {
  constructor(readonly failure: Failure) {}
}

type Done = (outcome: unknown) => void;

/** The calls whose results have not come, also those that were aborted and still run. */
const open = new Map<number, Done>();

/** The calls that keep the process alive: those that are awaited, and those in a host's transaction. */
const holding = new Set<number>();

/** Whether a call is part of a host's transaction, and so has to end before that does. */
const inside = new Set<number>();

/** Keeps the process alive while a call does; at other times it does not. */
const awake = timers.setInterval(() => {}, 2 ** 30).unref();

/** The timers as they are now: a host's tests may replace them. */
const { setImmediate } = timers;

/** The asynchronous contexts of open calls, while a storage of the host's may be called in them. */
const contexts = new Map<number, AsyncResource>();

/** Whether a call that begins now would be part of a host's transaction, for each storage. */
const joins: (() => boolean)[] = [];

/** From now on each call keeps its context, for the host's storage. */
export function keepContexts(joined: () => boolean): void {
  joins.push(joined);
}

/** Runs a function of the host's in the context of the call for which it runs. */
export function inContext<T>(call: number, run: () => T): T {
  const context = contexts.get(call);
  return context === undefined ? run() : context.runInAsyncScope(run);
}

const settle: Settle = (call, failed, value, log) => {
  const done = open.get(call);
  close(call);
  // If the call was aborted, its promise is settled already, and this does nothing.
  done?.(failed ? new Failed(value as Failure) : value);
  if (log !== null) tell(log);
};

/** Takes the results that are there, those of a few milliseconds in each turn of the event loop. */
function take(): void {
  let more = true;
  try {
    more = environment.take(settle);
  } finally {
    // Whatever happens: nothing else would come for the results that are left.
    if (more) setImmediate(take);
  }
}

function close(call: number): void {
  open.delete(call);
  contexts.delete(call);
  inside.delete(call);
  release(call);
}

/** Lets the process end before a call has. */
function release(call: number): void {
  holding.delete(call);
  if (holding.size === 0) awake.unref();
}

let last = 0;

function begin(done: Done): number {
  do {
    last = (last + 1) % 2 ** 32;
  } while (last === 0 || open.has(last));
  if (holding.size === 0) awake.ref();
  holding.add(last);
  open.set(last, done);
  if (joins.length > 0) contexts.set(last, new AsyncResource('PartnerKit'));
  return last;
}

/** How the native module makes the codes of refused fields. */
const codes = { fields: ['slug', 'text'], make: (slug: string, text: string) => ({ slug, text }) };

export const environment = native.begin(take, { ...factories, Code: codes });

/** What is to happen when a signal is aborted. A signal has one listener, however many calls it has. */
const aborting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls a function when a signal is aborted, until the returned function is called. */
function whenAborted(signal: AbortSignal, stop: () => void): () => void {
  const stops = aborting.get(signal) ?? new Set();
  stops.add(stop);
  if (stops.size === 1) {
    aborting.set(signal, stops);
    signal.addEventListener('abort', stopAll, { once: true });
  }
  return () => {
    if (stops.delete(stop) && stops.size === 0) {
      aborting.delete(signal);
      signal.removeEventListener('abort', stopAll);
    }
  };
}

function stopAll(this: AbortSignal): void {
  for (const stop of aborting.get(this) ?? []) stop();
}

/**
 * Starts a call. One that is part of a host's transaction gets a thread of its own: calls that wait for
 * that transaction's connection may have all the others.
 */
function started(number: number, start: Start): ReturnType<Start> {
  if (!joins.some((joined) => joined())) return start(number);
  inside.add(number);
  environment.beside(true);
  try {
    return start(number);
  } finally {
    environment.beside(false);
  }
}

/** Begins a call and waits for its result. */
export async function call<T>(start: Start, options?: CallOptions): Promise<T> {
  const signal = options?.signal;
  signal?.throwIfAborted();
  let number = 0;
  let ignoreSignal: (() => void) | undefined;
  const outcome = await new Promise<unknown>((resolve, reject) => {
    number = begin(resolve);
    try {
      const refused = started(number, start);
      if (refused) settle(number, true, refused, null);
    } catch (thrown) {
      close(number);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the host threw it
      reject(thrown);
      return;
    }
    if (signal) {
      ignoreSignal = whenAborted(signal, () => {
        if (!open.has(number)) return;
        // One that runs keeps its context: its storage may be in the middle of a transaction.
        if (environment.cancel(number)) close(number);
        else if (!inside.has(number)) release(number);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the host's reason
        reject(signal.reason);
      });
    }
  }).finally(() => ignoreSignal?.());
  // It is made here, after waiting, so that its stack leads to the caller's line.
  if (outcome instanceof Failed) throw errorOf(outcome.failure);
  return outcome as T;
}

/**
 * The own fields of an object with arguments. A name that is not among these is an error, because a
 * mistyped one would be an argument that was left out.
 */
export function named<T extends object>(what: string, given: T, names: readonly string[]): T {
  const fields: unknown = given;
  if (typeof fields !== 'object' || fields === null) {
    throw new TypeError(`${what}: expected an object`);
  }
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`${what}: there is no '${unknown}'`);
  return Object.assign(Object.create(null) as T, given);
}

/** The value of a function that needs no store. */
export function now<T>(made: Synchronous<T>): T {
  if (Object.hasOwn(made, 'failure')) throw errorOf((made as { failure: Failure }).failure);
  return (made as { value: T }).value;
}
