"""PartnerKit's rows in a Django project's own database.

Add `"partnerkit.django"` to INSTALLED_APPS, run `migrate`, and

    from partnerkit.django import DjangoStorage
    platform = partnerkit.Platform.with_storage(DjangoStorage(), login_base="partner.example.com")

where a module is loaded, once for all requests: the database is not asked for anything before the
first call, and a missing migration is a ConfigurationError that names the command. `migrate` makes
the platform's secret, too; one of your own (`secrets`) goes before it.

What is done inside `transaction.atomic()` commits or vanishes with it. PostgreSQL 15 and SQLite
3.35 or newer. A reseller and a row of your own, both or neither:

    with transaction.atomic():
        acme = platform.agency("northwind").create_reseller(**form)
        Contract.objects.create(reseller=acme.id, ...)

On SQLite choose the write-ahead log, so that readers are in nobody's way, have what is deleted
overwritten, and let blocks wait for each other:

    "OPTIONS": {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON",
        "transaction_mode": "IMMEDIATE",
    }

`check_access` and `sign_in` inside a block see what the block sees. With PostgreSQL's READ
COMMITTED, the default, that is the newest commit. With REPEATABLE READ or SERIALIZABLE, and on
SQLite once the block has read, it is the block's snapshot: a reseller that is switched off
meanwhile is refused from the next block on. Ask before such a block begins, in a middleware.

Failed sign-ins are counted beside whatever block is open (`ATOMIC_REQUESTS`, or `AUTOCOMMIT` False,
where the whole connection is one): on a second connection, the library's own, which `connections`
does not know. A thread has one while its block needs it, on PostgreSQL to the end of the request at
most; it takes none of a pool's. On PostgreSQL it waits 5 seconds for a row that the block itself
may have locked, and then raises InsideTransactionError. Without a block there is no second
connection.

SQLite has one writer at a time, and no room for two transactions of one request that write:
- A block that has written cannot sign anybody in (InsideTransactionError at once), and one that
  has cannot write any more (AbortedError, however often it is tried again). `change_password` is
  both: it counts like a sign-in. Do either before the block, or with `ATOMIC_REQUESTS` decorate the
  view with `@transaction.non_atomic_requests`. `set_password`, `reset_password` and `unlock` are
  parts of a block like anything else.
- Without `"transaction_mode": "IMMEDIATE"` a block that reads first and writes then is refused
  when somebody else has written in between (AbortedError), and only the whole block can be tried
  again. With it every block counts as one that has written: nobody can sign in inside it.

After COMMIT of a transaction of the library's own, an error that does not say for certain that
nothing was committed is an OutcomeUnknownError.

Tests. In a `TestCase` (and with `django_db` of pytest-django) everything is undone, so that there
is no second connection: a sign-in counts inside the test, and inside a block of the code under
test it counts as a part of that block. To see that a count outlives a block use
`TransactionTestCase`, and on SQLite a test database in a file (`"TEST": {"NAME": …}`), because
one in memory has no room for a second connection: there, a sign-in inside a block is an
InsideTransactionError. `databases` needs nothing but the aliases that you know; databases that are
kept, cloned or made without migrations (`--keepdb`, `--parallel`, `--reuse-db`, `--no-migrations`)
are as good as others. (Django clones a SQLite file without its write-ahead log: with `--parallel`
and a test database in a file leave the journal mode as it is.)
"""

from .storage import DjangoStorage

__all__ = ["DjangoStorage"]
