/** The storage contract as tests, for stores of the host's own. */

import { call, environment } from './calls';
import { named } from './given';
import { native, type Dispatcher } from './native';
import { checkedDeadline, Transactions, type StorageOptions, type TableStore } from './storage';
import { nothing } from './values';

/**
 * The names of all cases.
 *
 * @example
 * ```ts
 * import { conformanceCases } from 'partnerkit/conformance';
 *
 * assert.ok(conformanceCases().length > 100);
 * ```
 */
export function conformanceCases(): readonly string[] {
  return native.conformanceCases();
}

/**
 * Runs one case. `storage` makes an empty store, each time that it is called. The promise is rejected
 * if the store fails the case.
 *
 * @example
 * ```ts
 * import { test } from 'node:test';
 * import { conformanceCases, runConformanceCase } from 'partnerkit/conformance';
 * import { MyStore } from './my-store.mjs'; // a `TableStore` over the host's database
 *
 * for (const name of conformanceCases()) {
 *   test(name, () => runConformanceCase(name, () => new MyStore()));
 * }
 * ```
 */
export async function runConformanceCase(
  name: string,
  storage: () => TableStore | Promise<TableStore>,
  options: StorageOptions = {},
): Promise<void> {
  const stores: TableStore[] = [];
  const transactions = new Transactions();
  const dispatcher: Dispatcher = async (_call, object, method, args) => {
    if (method === 'storage') return BigInt(stores.push(await storage())) - 1n;
    const store = STORE_METHODS.has(method) ? stores[Number(object)] : undefined;
    if (store !== undefined) return transactions.ofStore(store, method, args);
    return transactions.ofTransaction(object ?? 0n, method, args);
  };
  const { deadline = 60_000 } = named('options', options, ['deadline']);
  const millis = checkedDeadline(deadline);
  await call(nothing, (id) => environment.runConformanceCase(id, name, dispatcher, millis));
}

const STORE_METHODS = new Set(['begin', 'joined', 'scrub', 'schemaVersion']);
