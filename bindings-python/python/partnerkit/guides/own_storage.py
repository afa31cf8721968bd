"""Keep the rows in your own database.

`Platform::open` opens a store of the library's own. To have resellers in the database of your
application, with its transactions and backups, give the library a storage: for Django and for Kysely
(Node.js) there is one;
for anything else you write a `TableStore`. The rules are the same in every storage.

## Django

```python
INSTALLED_APPS = ["partnerkit.django"]  # in your settings, beside the others; then: manage.py migrate
```

```python
# partners.py: loaded once in each process; the database is asked at the first call.
import partnerkit
from partnerkit.django import DjangoStorage

platform = partnerkit.Platform.with_storage(DjangoStorage(), login_base="partner.example.com")
```

`migrate` makes the tables (`partnerkit_…`) and the platform's secret. Where a migration is missing,
the first call raises a `ConfigurationError` that says so. SQLite 3.35 or PostgreSQL 15, or newer;
`help("partnerkit.django")` has the settings for SQLite, and what holds for sign-ins inside a block
and for tests. `DjangoStorage(using="partners")` takes another alias.

What is done inside `transaction.atomic()` is part of it. A reseller and a row of yours, both or
neither:

```python
from django.db import transaction

agency = platform.ensure_agency("northwind")  # in a view, a command or a worker
try:
    with transaction.atomic():
        globex = agency.create_reseller(**form)
        raise RuntimeError("your own row, such as a Contract(reseller=globex.id), cannot be saved")
except RuntimeError:
    assert agency.domain_availability("globex").available
```

A refused form raises inside the block and leaves it usable. In your models keep a reseller's id in a
`UUIDField`; the library's models (`partnerkit.django.models`) are there for migrations and for
looking, not for writing.

`maintain` removes what is no longer needed. Call it every few minutes outside of requests, from a
management command with a timer, or from a periodic task of your queue:

```python
from django.core.management.base import BaseCommand


class Command(BaseCommand):  # management/commands/partnerkit_maintain.py
    def handle(self, **options):
        while not platform.maintain().finished:
            pass


Command().handle()
```

An asynchronous view calls the platform through `asgiref.sync.sync_to_async`, as it calls Django's ORM.
`AsyncPlatform` makes its calls on threads of the library, where your transaction is not open, so it
refuses a platform on `DjangoStorage` with a `ConfigurationError`:

```python
try:
    partnerkit.AsyncPlatform(platform)
except partnerkit.ConfigurationError as refused:
    assert "sync_to_async" in str(refused)
```

## Kysely

`migrate` makes the tables (`partnerkit_…`); `migrations` has the same for a `Migrator` of yours. Kysely
0.28 or newer, on PostgreSQL 15 or SQLite 3.37, or newer.

What begins inside `storage.transaction` is part of it. A reseller and a row of yours, both or neither:

A refused form leaves the transaction usable. Sign-ins inside a transaction want a second instance
(`new KyselyStorage(db, { beside })`), because a failed one stays counted when you roll back. Call
`platform.maintain()` every few minutes, as with any store.

## Any other database: a `TableStore`

A storage moves rows and knows no rule. The tables are data (`partnerkit::schema`, in Python
`partnerkit.schema()`): make yours from them. The store begins a transaction; that has these verbs:

| verb | what it does |
|---|---|
| `get`, `scan` | read rows by key or by an index, and lock them where that is asked for |
| `page`, `count` | read the rows of a list, and say how many there are |
| `insert`, `update`, `put`, `add`, `delete` | write rows; a conflict is an answer, not an error |
| `commit`, `rollback` | end it |

In Rust implement `partnerkit::storage::host::TableStore`, and open `Tables(your_store)`; in Python
implement `partnerkit.storage.TableStore`, and open it by `Platform.with_storage`; in JavaScript implement
`TableStore`, and open it by `Platform.withStorage`. A store in Python that
joins no transaction of the calling thread may have the attribute `any_thread = True`; then
`AsyncPlatform` takes a platform on it.

## Prove it

The conformance suite is the contract as tests: races, locks, conflicts, every operation on your
store. It has to pass every case. In Rust (feature `conformance`, in `dev-dependencies`):

In Python the same cases are in the native module. This runs one of them on Django's storage:

```python
from django.core.management import call_command
from django.db import connections
from partnerkit import _native


class OnMyStore:
    def storage(self):  # an empty store, for each case
        call_command("flush", verbosity=0, interactive=False)  # of a test database
        return DjangoStorage()

    def thread_ends(self):  # called in each thread that a case has started
        connections.close_all()


assert len(_native.conformance_cases()) > 100
_native.run_conformance_case("a_stale_version_is_a_conflict", OnMyStore())
```

In JavaScript they are in `partnerkit/conformance`:

@generated by `cargo run -p partnerkit-generate` from `core/docs/guides`; do not edit.
"""
