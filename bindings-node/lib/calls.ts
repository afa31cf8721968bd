/** Calls of the native module: each has a number, by which its result comes back. */

import { AsyncResource } from 'node:async_hooks';
import * as timers from 'node:timers';

import { errorOf, failureOf } from './errors';
import { named, promised } from './given';
import * as looking from './looking';
import { tell } from './logging';
import { native, type Failure, type Settle, type Start, type Synchronous } from './native';
import { answer, type Reader } from './values';

/**
 * What every operation takes beside its arguments. Options, requests and settings are objects with
 * fields: their own, and the getters of their class, so that an `AbortController` will do here. A name
 * that there is not is a `TypeError`. (Of a form only own fields are read, as `JSON.stringify` does.)
 */
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

/** A call whose result has not come. */
interface Open {
  readonly done: Done;
  /** Reads the result; null if it is a native handle. */
  readonly read: Reader<unknown> | null;
  /** The asynchronous context in which it began, if a storage of the host's may be called in it. */
  readonly context: AsyncResource | undefined;
  /** Whether it is part of a host's transaction, and so has to end before that does. */
  readonly isInside: boolean;
}

/** The calls whose results have not come, also those that were aborted and still run. */
const open = new Map<number, Open>();

/** Those of them that keep the process alive: all that were not aborted. */
const holding = new Set<number>();

/** The calls that are starting. One that was cut off stays here until `go` finds it. */
const starting = new Set<number>();

/** Keeps the process alive while a call does; at other times it does not. */
const awake = timers.setInterval(() => {}, 2 ** 30).unref();

/** The timers as they are now: a host's tests may replace them. */
const { setImmediate } = timers;

/** A store of the host's, of which calls can be part of a transaction. */
interface Joinable {
  joined?(): unknown;
}

/** The context of what belongs to no call. */
const outside = new AsyncResource('PartnerKit');

/** The stores of the host's that are in use. */
const stores = new Set<WeakRef<Joinable>>();
const unused = new FinalizationRegistry<WeakRef<Joinable>>((store) => stores.delete(store));

/** From now on each call keeps its context, for a storage of the host's, as long as that is in use. */
export function keepContexts(store: Joinable): void {
  const kept = new WeakRef(store);
  stores.add(kept);
  unused.register(store, kept);
}

/** Whether a call that begins now would be part of a transaction of a store. */
function isJoined(store: Joinable | undefined): boolean {
  try {
    const joined = store?.joined?.();
    // One that says so later is asked again by the core, and its error is told then.
    promised(joined)?.catch(() => undefined);
    return joined === true;
  } catch {
    return false;
  }
}

/** Runs a function of the host's in the context of the call for which it runs. */
export function inContext<T>(call: number, run: () => T): T {
  const context = open.get(call)?.context;
  return context === undefined ? run() : context.runInAsyncScope(run);
}

const settle: Settle = (call, failed, value, log) => {
  const settled = open.get(call);
  close(call);
  // If the call was aborted, its promise is settled already, and this does nothing.
  settled?.done(failed ? new Failed(value as Failure) : outcomeOf(settled.read, value));
  if (log !== null) tell(log);
};

/**
 * The value of a result. It is made here, and not where it is awaited: `take` gives way to others when
 * it has made values for a while.
 */
function outcomeOf(read: Reader<unknown> | null, value: unknown): unknown {
  if (read === null) return value;
  try {
    return answer(value as string, read);
  } catch (cause) {
    return new Failed({ ...failureOf('internal', 'the answer cannot be read'), cause });
  }
}

/** Takes the results that are there, those of a few milliseconds in each turn of the event loop. */
function take(): void {
  let again = true;
  const looks = looking.goesOn();
  try {
    again = environment.take(settle, looks) || looks;
    if (looks && open.size === 0) again = environment.take(settle, false);
    if (!looks || open.size === 0) looking.ends(open.size === 0);
  } finally {
    stayAwake();
    // Whatever happens: nothing else would come for the results that are left.
    if (again) comeBack();
  }
}

/** Whether the event loop takes results in its next turn. */
let isComing = false;

function comeBack(): void {
  if (isComing) return;
  // What runs then belongs to no call.
  outside.runInAsyncScope(setImmediate, undefined, arrive);
  // Only now: if this is cut off, the next one has to do it.
  isComing = true;
}

function arrive(): void {
  isComing = false;
  take();
}

function close(call: number): void {
  release(call);
  open.delete(call);
}

/** Lets the process end before a call has; `goLater` or the end of `take` makes that true. */
function release(call: number): void {
  holding.delete(call);
}

/**
 * Keeps the process alive if there are calls that do, and else lets it end. It is never called while a
 * call starts: code that is cut off inside of a timer leaves Node.js with a wrong count of timers, and
 * then the program ends too early, or never.
 */
function stayAwake(): void {
  if (holding.size > 0) awake.ref();
  else awake.unref();
}

/** Whether a call has begun since the last `go` when no other was open. */
let isFirst = false;

let last = 0;

/** A number that no open call has. */
function free(): number {
  do {
    last = (last + 1) % 2 ** 32;
  } while (last === 0 || open.has(last));
  return last;
}

/** Enters a call among the open ones. If it is cut off, `go` takes it out again. */
function begin(read: Reader<unknown> | null, done: Done): number {
  const context = stores.size > 0 ? new AsyncResource('PartnerKit') : undefined;
  const isInside = stores.size > 0 && [...stores].some((store) => isJoined(store.deref()));
  // Only now, because a store that is asked may begin a call itself.
  const number = free();
  starting.add(number);
  holding.add(number);
  open.set(number, { done, read, context, isInside });
  isFirst ||= open.size === 1;
  return number;
}

export const environment = native.begin(take);

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

/** Whether the call that is starting is part of a host's transaction. */
let isBeside = false;

function beside(is: boolean): void {
  if (is === isBeside) return;
  environment.beside(is);
  isBeside = is;
}

/**
 * Starts a call. One that is part of a host's transaction gets a thread of its own: calls that wait for
 * that transaction's connection may have all the others. A getter of its arguments may start another
 * call, after which it goes on as before.
 */
function started<Given>(
  number: number,
  start: Start<Given>,
  given: Given,
): ReturnType<Start<Given>> {
  const before = isBeside;
  beside(open.get(number)?.isInside === true);
  try {
    return start(number, given);
  } finally {
    beside(before);
  }
}

/** Whether threads come to the calls that have begun when the running code has ended. */
let isGoing = false;

const later = Promise.resolve();

/** Many calls that begin together begin faster while no thread takes the event loop's processor. */
function goLater(): void {
  if (isGoing) return;
  void later.then(go);
  isGoing = true;
}

function go(): void {
  isGoing = false;
  if (starting.size > 0) closeCutOff();
  stayAwake();
  if (isFirst && looking.begins()) comeBack();
  isFirst = false;
  environment.go();
}

/**
 * Closes the calls that were cut off while they started: the stack was full, or the time of a script of
 * `node:vm` was over, which runs no `finally`. No result would come for them, and the process would
 * never end.
 */
function closeCutOff(): void {
  for (const call of starting) close(call);
  starting.clear();
  beside(false);
}

/** The names of the options that every operation takes. */
const OF_EVERY_CALL = ['signal'];

/** What is given if no options are. */
const NONE = Object.freeze(Object.create(null) as object);

/** The signal among options. */
export function signalOf(given: CallOptions): AbortSignal | undefined {
  const signal: unknown = given.signal ?? undefined;
  if (signal === undefined) return undefined;
  // A signal may come from another realm, so its class is not asked for.
  const methods = ['throwIfAborted', 'addEventListener', 'removeEventListener'] as const;
  if (methods.some((name) => typeof (signal as Partial<AbortSignal>)[name] !== 'function')) {
    throw new TypeError('signal: expected an AbortSignal');
  }
  return signal as AbortSignal;
}

/**
 * Begins a call, which gets the fields of its options, and waits for its result. What reads the result is
 * null if that is a native handle.
 */
export async function call<T, Given extends CallOptions = CallOptions>(
  read: Reader<T> | null,
  start: Start<Given>,
  options?: Given,
  names: readonly string[] = OF_EVERY_CALL,
): Promise<T> {
  const given = options === undefined ? (NONE as Given) : named('options', options, names);
  const signal = signalOf(given);
  signal?.throwIfAborted();
  let number = 0;
  let ignoreSignal: (() => void) | undefined;
  const outcome = await new Promise<unknown>((resolve, reject) => {
    try {
      // First of all: whatever cuts the call off from here on, `go` comes after it.
      goLater();
      number = begin(read, resolve);
      const refused = started(number, start, given);
      starting.delete(number);
      if (refused) settle(number, true, refused, null);
    } catch (thrown) {
      starting.delete(number);
      close(number);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the host threw it
      reject(thrown);
      return;
    }
    if (signal) {
      const stop = () => {
        const aborted = open.get(number);
        if (aborted === undefined) return;
        // One that runs keeps its context: its storage may be in the middle of a transaction.
        if (environment.cancel(number)) close(number);
        else if (!aborted.isInside) release(number);
        goLater();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the host's reason
        reject(signal.reason);
      };
      // A getter of the arguments may have aborted it, when nobody listened.
      if (signal.aborted) stop();
      else ignoreSignal = whenAborted(signal, stop);
    }
  }).finally(() => ignoreSignal?.());
  // It is made here, after waiting, so that its stack leads to the caller's line.
  if (outcome instanceof Failed) throw errorOf(outcome.failure);
  return outcome as T;
}

/** The value of a function that needs no store. */
export function now<T>(made: Synchronous<T>): T {
  if (Object.hasOwn(made, 'failure')) throw errorOf((made as { failure: Failure }).failure);
  return (made as { value: T }).value;
}
