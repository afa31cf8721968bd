// Whole cases of the storage contract inside one transaction of the host's, which is rolled back at
// the end: the platform answers as it does elsewhere, and nothing that it wrote is left.
'use strict';

const assert = require('node:assert/strict');
const { AsyncResource } = require('node:async_hooks');
const { after, before, describe, test } = require('node:test');

const { sql } = require('kysely');

const { tables } = require('..');
const { conformanceCases, runConformanceCase } = require('../dist/conformance');
const { KyselyStorage } = require('../dist/kysely');
const { empty, postgres, sqlite, withoutPostgres } = require('./kysely-databases');

/** Cases that are about something else than the one transaction, and why. */
const ELSEWHERE = {
  'sign-ins are counted beside the transaction, which has resellers that nobody else sees': [
    'a_deletion_that_is_cut_short_goes_on',
    'a_changed_email_ends_every_stamp',
    'a_clock_that_is_ahead_blocks_nobody_elsewhere',
    'a_fault_at_any_call_leaves_all_or_nothing',
    'a_file_brings_along_what_was',
    'a_hard_stop_is_told_to_the_feed_once',
    'a_locked_account_costs_one_computation',
    'a_new_password_ends_every_stamp',
    'a_new_secret_forgets_no_failure',
    'a_new_secret_forgives_no_source',
    'a_reseller_moves_in_as_it_was',
    'a_reseller_signs_in_until_switched_off',
    'a_reset_token_works_once_and_in_time',
    'a_stop_is_lifted_under_every_secret',
    'a_stop_is_told_while_it_stands',
    'a_stop_of_nobody_has_an_end',
    'a_success_clears_the_failures',
    'a_success_lifts_no_stop_that_others_reach_meanwhile',
    'an_unlocked_reseller_signs_in_again',
    'changing_a_password_needs_the_current_one',
    'every_failure_costs_the_same_commits',
    'every_failure_is_one_error_and_one_computation',
    'failures_stay_with_their_account',
    'no_failed_attempt_is_lost',
    'no_failure_is_inherited',
    'no_operation_reaches_another_agency',
    'one_source_cannot_go_on_guessing',
    'racing_guesses_stay_within_the_limit',
    'revoked_access_ends_every_stamp',
    'upkeep_erases_no_agency_that_has_the_id_by_now',
    'upkeep_in_a_hosts_transaction_leaves_attempts',
    'what_is_due_is_removed',
    'upkeep_takes_nothing_that_was_just_taken_anew',
    'what_survives_a_rollback_locks_no_row_of_the_hosts',
  ],
  'erasure is complete once the transaction is committed': [
    'a_deleted_agency_leaves_nothing_but_tombstones',
  ],
  'only the host can run its transaction again': ['aborted_work_runs_again_and_counts_once'],
};
const LEFT_OUT = new Set(Object.values(ELSEWHERE).flat());

/** A store whose calls are all made inside one transaction of the host's. */
class Joined {
  #host;
  #rollBack;
  #inside;

  static async begin(storage) {
    const joined = new Joined();
    joined.#inside = await new Promise((resolve, reject) => {
      const work = () =>
        new Promise((_, rollBack) => {
          joined.#rollBack = () => rollBack(new Error('rolled back'));
          resolve(new AsyncResource('the host'));
        });
      joined.#host = storage.transaction(work);
      joined.#host.catch(reject);
    });
    const call =
      (method) =>
      (...args) =>
        joined.#inside.runInAsyncScope(() => storage[method](...args));
    joined.store = Object.fromEntries(
      ['schemaVersion', 'begin', 'joined', 'scrub'].map((method) => [method, call(method)]),
    );
    return joined;
  }

  async rollBack() {
    this.#rollBack();
    await assert.rejects(this.#host, /rolled back/);
  }
}

const DATABASES = [
  ['SQLite', sqlite, false],
  ['PostgreSQL', postgres, withoutPostgres],
];

for (const [kind, make, skip] of DATABASES) {
  describe(`${kind}, each case in one transaction`, { skip }, () => {
    let database;
    before(async () => {
      database = await make();
    });
    after(() => database.close());

    for (const name of conformanceCases().filter((it) => !LEFT_OUT.has(it))) {
      test(name, async () => {
        const { db, beside } = database;
        let joined;
        // A case may want a second store, after the first one.
        const store = async () => {
          await joined?.rollBack();
          await empty(db);
          joined = await Joined.begin(new KyselyStorage(db, { beside }));
          return joined.store;
        };
        try {
          await runConformanceCase(name, store);
        } finally {
          await joined?.rollBack();
        }
        await nothingIsLeft(db);
      });
    }
  });
}

async function nothingIsLeft(db) {
  for (const { name } of tables) {
    // The platform's secret is made beside the transaction.
    if (name === 'secrets') continue;
    const { rows } = await sql`SELECT 1 FROM ${sql.table(`partnerkit_${name}`)} LIMIT 1`.execute(
      db,
    );
    assert.equal(rows.length, 0, name);
  }
}

test('what is left out are cases', () => {
  for (const name of LEFT_OUT) assert.ok(conformanceCases().includes(name), name);
});
