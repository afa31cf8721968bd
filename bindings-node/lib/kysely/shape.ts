/** What the storage's callers give, as types that need no other package. */

/**
 * What a Kysely instance is here. Kysely's own class will not do: for TypeScript it is one in
 * CommonJS and another one in ESM.
 */
export interface KyselyDatabase {
  readonly isTransaction: boolean;
  getExecutor(): object;
  withoutPlugins(): object;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the instance's own transaction
  transaction(): { execute<T>(work: (trx: any) => Promise<T>): Promise<T> };
}

/** A transaction of a Kysely instance, by the instance's type. */
export type TransactionOf<DB extends KyselyDatabase> =
  ReturnType<DB['transaction']> extends {
    execute(work: (trx: infer Trx) => Promise<unknown>): Promise<unknown>;
  }
    ? Trx
    : never;
