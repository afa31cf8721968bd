/**
 * How a transaction begins and ends: as one of our own, as a savepoint in the host's, or not at
 * all, because it only reads inside the host's.
 */

import { type ControlledTransaction } from 'kysely';

import { tell, type AnyKysely } from './database';
import { Failure, isConcurrent, isRolledBack, translated } from './failures';
import { type HostTransaction } from './hosts';
import { type DialectName } from './sql';

/** A transaction that has begun. */
export interface Ending {
  readonly db: AnyKysely;
  /** Whether a transaction of the host's waits until this one ends. */
  readonly besideHost: boolean;
  /** Fails once the transaction cannot be used any more. */
  check(): void;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** A transaction of our own. */
export class Own implements Ending {
  constructor(
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the host's tables are
    readonly db: ControlledTransaction<any>,
    readonly besideHost = false,
  ) {}

  check(): void {
    // Kysely itself refuses a transaction that has ended.
  }

  async commit(): Promise<void> {
    try {
      await this.db.commit().execute();
    } catch (error) {
      // Kysely keeps the connection until there is a rollback.
      await this.rollback();
      if (isConcurrent(error)) throw translated(error);
      if (isRolledBack(error)) throw error;
      throw new Failure('outcome_unknown', 'no answer that tells came to COMMIT', error);
    }
  }

  async rollback(): Promise<void> {
    // If the connection is lost, the transaction is rolled back, too.
    await this.db
      .rollback()
      .execute()
      .catch(() => {});
  }
}

/** A savepoint in the host's transaction. */
export class Savepoint implements Ending {
  readonly db: AnyKysely;
  readonly besideHost = false;

  private constructor(
    private readonly host: HostTransaction,
    private readonly dialect: DialectName,
    private readonly name: string,
    private readonly turnEnds: () => void,
  ) {
    this.db = host.trx;
  }

  static async begin(host: HostTransaction, dialect: DialectName): Promise<Savepoint> {
    const turnEnds = await host.take();
    const name = host.savepoint();
    try {
      await tell(host.trx, dialect, `SAVEPOINT ${name}`);
    } catch (error) {
      turnEnds();
      throw translated(error);
    }
    return new Savepoint(host, dialect, name, turnEnds);
  }

  check(): void {
    this.host.check();
  }

  async commit(): Promise<void> {
    try {
      this.check();
      await this.#tell('RELEASE SAVEPOINT');
    } catch (error) {
      await this.rollback();
      throw translated(error);
    }
    this.turnEnds();
  }

  async rollback(): Promise<void> {
    try {
      await this.#tell('ROLLBACK TO SAVEPOINT');
      await this.#tell('RELEASE SAVEPOINT');
    } catch {
      // The whole transaction has failed, or its connection is lost: the host will notice.
    } finally {
      this.turnEnds();
    }
  }

  async #tell(what: string): Promise<void> {
    await tell(this.db, this.dialect, `${what} ${this.name}`);
  }
}

/** No transaction of our own: the host's simply goes on. Nothing is written in it. */
export class Nothing implements Ending {
  readonly db: AnyKysely;
  readonly besideHost = false;

  private constructor(
    private readonly host: HostTransaction,
    private readonly turnEnds: () => void,
  ) {
    this.db = host.trx;
  }

  static async begin(host: HostTransaction): Promise<Nothing> {
    return new Nothing(host, await host.take());
  }

  check(): void {
    this.host.check();
  }

  commit(): Promise<void> {
    this.turnEnds();
    return Promise.resolve();
  }

  rollback(): Promise<void> {
    this.turnEnds();
    return Promise.resolve();
  }
}
