// What a host sees: promises, typed errors, and storages of its own as plain objects.
'use strict';

const native = require('./partnerkit.node');

const TABLES = new Map(native.schema().map((table) => [table.name, table]));

/** Everything that the library refuses, or that went wrong in it. */
class PartnerKitError extends Error {
  constructor({ code, message, fields, currentVersion, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PartnerKitError';
    /** The stable kind: `validation`, `not_found`, `storage`, `outcome_unknown`, … */
    this.code = code;
    /** Every refused field: `{ field, code, params, text }`. */
    this.fields = fields;
    this.currentVersion = currentVersion;
  }
}

async function settled(outcome) {
  const { value, error } = await outcome;
  if (error) throw new PartnerKitError(error);
  return value;
}

/**
 * The one function through which the core calls a storage. Transactions are known by number;
 * one that has ended is forgotten, so that nothing can reach it any more.
 */
function dispatcher(store) {
  const open = new Map();
  let last = 0n;
  return (id, method, args) => {
    if (method === 'schemaVersion') return store.schemaVersion();
    if (method === 'begin') {
      return store.begin(...args).then((transaction) => {
        last += 1n;
        open.set(last, transaction);
        return last;
      });
    }
    const transaction = open.get(id);
    if (method === 'commit' || method === 'rollback') open.delete(id);
    // Questions and writes name their tables.
    for (const part of args[0] ?? []) if (part.table) part.table = TABLES.get(part.table);
    return transaction[method](...args);
  };
}

class Platform {
  #native;

  constructor(handle) {
    this.#native = handle;
  }

  /**
   * Opens a platform on a storage: an object whose `begin(agency, mode)` gives a transaction,
   * and whose `schemaVersion()` tells which version its tables have.
   * `threads` wait for it, each call at most `deadline` milliseconds.
   */
  static async open(store, { threads = 4, deadline = 5_000 } = {}) {
    return new Platform(await settled(native.open(dispatcher(store), threads, deadline)));
  }

  async createAgency(id) {
    return new Agency(await settled(this.#native.createAgency(id)));
  }

  async agency(id) {
    return new Agency(await settled(this.#native.agency(id)));
  }

  /** For the tests: panics in the middle of a transaction. */
  async panic() {
    return settled(this.#native.panic());
  }
}

class Agency {
  #native;

  constructor(handle) {
    this.#native = handle;
  }

  async createReseller(draft) {
    return reseller(await settled(this.#native.createReseller(draft)));
  }

  async reseller(id) {
    return reseller(await settled(this.#native.reseller(id)));
  }
}

function reseller(record) {
  return { ...record, metadata: Object.fromEntries(record.metadata) };
}

module.exports = {
  Agency,
  PartnerKitError,
  Platform,
  schemaVersion: native.schemaVersion(),
  tables: [...TABLES.values()],
};
