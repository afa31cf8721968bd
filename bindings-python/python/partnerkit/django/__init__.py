"""PartnerKit's rows in a Django project's own database.

Add `"partnerkit.django"` to INSTALLED_APPS, run `migrate`, and

    from partnerkit.django import DjangoStorage
    platform = partnerkit.Platform.with_storage(DjangoStorage(), login_base="partner.example.com")

at the top of a module, once for all requests: the database is not used before the first call,
and a missing migration is a ConfigurationError that names the command. `migrate` also makes the
platform's secret; a secret of your own (`secrets`) takes precedence.

Changes inside `transaction.atomic()` are committed or rolled back with it. The storage needs
PostgreSQL 15 or SQLite 3.35, or newer. This creates a reseller and a row of your own, both or
neither:

    with transaction.atomic():
        acme = platform.agency("northwind").create_reseller(**form)
        Contract.objects.create(reseller=acme.id, ...)

On SQLite, use the write-ahead log, so that readers do not block writers, have deleted data
overwritten, and let blocks wait for each other:

    "OPTIONS": {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON",
        "transaction_mode": "IMMEDIATE",
    }

`check_access` and `sign_in` inside a block see what the block sees. With PostgreSQL's READ
COMMITTED, the default, that is the newest commit. With REPEATABLE READ or SERIALIZABLE, and on
SQLite once the block has read, it is the block's snapshot: a reseller that is deactivated
meanwhile is refused only from the next block on. So call them before such a block begins, in a
middleware.

Failed sign-ins are counted outside an open block (one of `ATOMIC_REQUESTS`, too, or with
`AUTOCOMMIT` False, where the whole connection is one block): on a second connection, which
belongs to the library, and which `connections` does not know. A thread has one while its block
needs it, on PostgreSQL at most to the end of the request; it is not taken from a pool. On
PostgreSQL it waits 5 seconds for a row that the block itself may have locked, and then raises
InsideTransactionError. Without a block there is no second connection.

The storage works on the thread that calls it. `AsyncPlatform` would call it on other threads, and
raises ConfigurationError; an asynchronous view calls the blocking platform through
`asgiref.sync.sync_to_async`, as it calls the ORM.

SQLite has one writer at a time, so one request cannot have two transactions that write:
- A block that has written cannot sign anybody in (InsideTransactionError at once), and a block
  that has signed somebody in cannot write any more (AbortedError, however often it is tried
  again). `change_password` does both, because it counts like a sign-in. Call either before the
  block, or with `ATOMIC_REQUESTS` decorate the view with `@transaction.non_atomic_requests`.
  `set_password`, `reset_password` and `unlock` are ordinary parts of a block.
- Without `"transaction_mode": "IMMEDIATE"`, a block that reads first and writes then is refused
  if somebody else has written in between (AbortedError), and only the whole block can be tried
  again. With it, every block counts as one that has written: nobody can sign in inside it.

If COMMIT of one of the library's own transactions fails with an error that does not say for
certain that nothing was committed, it is an OutcomeUnknownError.

Tests. In a `TestCase` (and with `django_db` of pytest-django) everything is rolled back, so there
is no second connection: a sign-in is counted inside the test, and inside a block of the tested
code it is a part of that block. To test that a count outlives a block, use
`TransactionTestCase`, and on SQLite a test database in a file (`"TEST": {"NAME": …}`), because
one in memory cannot have a second connection: there, a sign-in inside a block is an
InsideTransactionError. `databases` needs only the aliases that you know. Databases that are kept,
cloned or made without migrations (`--keepdb`, `--parallel`, `--reuse-db`, `--no-migrations`) work,
too. (Django clones a SQLite file without its write-ahead log: with `--parallel` and a test
database in a file, leave the journal mode as it is.)
"""

from .storage import DjangoStorage

__all__ = ["DjangoStorage"]
