/** A transaction of the host's, while calls of the library are part of it. */

import { type AnyKysely } from './database';
import { Failure } from './failures';

/** Lets one after the other in. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Waits for a turn; the function that it gives ends the turn. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let end = () => {};
    this.#last = new Promise((resolve) => (end = resolve));
    await before;
    return end;
  }
}

/** The transactions of hosts that calls are part of now. */
const open = new WeakMap<object, HostTransaction>();

/**
 * A transaction of the host's. The library's transactions in it are savepoints of one connection:
 * they wait for each other.
 */
export class HostTransaction {
  /** How often the host has joined it. */
  #joins = 0;

  readonly #turns = new Turns();
  #ended = false;
  #savepoints = 0;
  /** Whether another connection than its own could not be had. */
  alone = false;
  /**
   * Whether the library has written in it, and so, on SQLite, keeps everybody else from writing.
   */
  wrote = false;

  private constructor(readonly trx: AnyKysely) {}

  /** The one for a transaction of the host's, which the host may join more than once at a time. */
  static join(trx: AnyKysely): HostTransaction {
    const host = open.get(trx) ?? new HostTransaction(trx);
    open.set(trx, host);
    host.#joins += 1;
    return host;
  }

  /** Waits until no other transaction of the library's is open in this one. */
  async take(): Promise<() => void> {
    this.check();
    const end = await this.#turns.take();
    if (this.#ended) {
      end();
      this.check();
    }
    return end;
  }

  /** The name of a new savepoint. */
  savepoint(): string {
    this.#savepoints += 1;
    return `partnerkit_${this.#savepoints}`;
  }

  /** Fails once the host's transaction is over. */
  check(): void {
    if (!this.#ended) return;
    throw new Failure(
      'inside_transaction',
      "this call began inside a transaction of the host's that has ended by now: await every " +
        'call inside it, or begin the call with `outside`',
    );
  }

  /**
   * Ends the calls in it, at the end of the last `join`, before the host commits or rolls back: what is open is undone, and
   * whatever comes later fails.
   */
  async end(): Promise<void> {
    this.#joins -= 1;
    if (this.#joins > 0) return;
    open.delete(this.trx);
    this.#ended = true;
    (await this.#turns.take())();
  }
}
