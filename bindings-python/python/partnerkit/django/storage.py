"""The storage that lives in a Django project's database."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from .. import SCHEMA_VERSION
from ..errors import ConfigurationError, InsideTransactionError
from ..storage import Mode
from .endings import Beside, Block, Ending, Nothing
from .failures import concurrent_is_aborted
from .names import LABEL
from .rows import DjangoTransaction
from .scopes import in_hosts_transaction, in_test, in_transaction
from .second import POSTGRES_PATIENCE, second
from .second import close as close_second

# Takes SQLite's write lock without changing anything. A transaction that reads first cannot
# write later if somebody else has written in between, and waiting does not help.
TAKE_WRITE_LOCK = 'UPDATE "partnerkit_agencies" SET "numbered" = "numbered" WHERE 0'
# Deleted personal data must not remain in free pages.
OVERWRITE_DELETED = "PRAGMA secure_delete = ON"
NUMBER = re.compile(r"\d+")
# The wait is bounded because the lock may belong to the host's own transaction, which waits for
# this one.
LIMIT_WAITING = f"SET LOCAL lock_timeout = '{POSTGRES_PATIENCE}'"
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def applied_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of the app's migrations that the database has, read on this connection:
    Django's own loader would look up the alias, and use the host's connection."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return []
    table = connection.ops.quote_name(recorder.Migration._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM {table} WHERE app = %s", [LABEL])
        return [name for (name,) in cursor.fetchall()]


def empty_journal(cursor: Any) -> bool:
    """Tries to empty SQLite's journal, and returns whether it has no pages any more."""
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    busy, *_ = cursor.fetchone()
    cursor.execute("PRAGMA journal_mode")
    if cursor.fetchone() != ("persist",):
        return not busy
    # In this mode, old pages stay in the journal after a transaction. Leaving the mode deletes
    # the file, unless somebody is in the way; SQLite does not report that, but the file is
    # still there.
    cursor.execute("PRAGMA journal_mode = DELETE")
    cursor.execute("PRAGMA journal_mode = PERSIST")
    cursor.execute("PRAGMA database_list")
    (path,) = [path for _, name, path in cursor.fetchall() if name == "main"]
    return not os.path.exists(f"{path}-journal")


class DjangoStorage:
    """A `partnerkit.storage.TableStore` over the caller's own connection.

    Writes are part of the `atomic()` block that is open on the caller's thread; an exception of
    the library leaves that block usable. Sign-in attempts are counted beside it, on a second
    connection of the library's own, so that they stay counted when the block is rolled back; blocks
    of Django's `TestCase` are not the caller's (see `partnerkit.django`). On SQLite that is not
    possible once the block has written: sign in before, or outside of it. After a sign-in inside
    a block that has only read, SQLite refuses the block's first write: its snapshot has aged.

    ```python
    from django.db import transaction
    from partnerkit.django import DjangoStorage

    platform = partnerkit.Platform.with_storage(DjangoStorage())
    agency = platform.ensure_agency("northwind")
    with transaction.atomic():
        agency.create_reseller(**form)
        transaction.set_rollback(True)  # as when the request fails
    overview = agency.overview()
    assert overview.active_resellers == 0
    ```
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using

    def schema_version(self) -> int:
        """The number of the app's newest migration in the database, which is the schema
        version. If the host has migrations of its own for the app, or none, the tables match
        the models.

        Raises ConfigurationError where some of the migrations have not been run.
        """
        _, hosts_own = MigrationLoader.migrations_module(LABEL)
        if hosts_own:
            return SCHEMA_VERSION
        connection, release = self._beside_if_possible()
        try:
            names = applied_migrations(connection)
        finally:
            release()
        version = max((int(n[0]) for name in names if (n := NUMBER.match(name))), default=0)
        if version < SCHEMA_VERSION:
            raise ConfigurationError(
                f"the database {self.using!r} lacks migrations of PartnerKit: run "
                f"`manage.py migrate {LABEL} --database {self.using}`"
            )
        return version

    def joined(self) -> bool:
        """Whether the caller's thread is in a transaction of the host."""
        return in_hosts_transaction(self._connection())

    @concurrent_is_aborted
    def scrub(self) -> bool:
        """Removes deleted data from SQLite's journal, if no reader needs it.

        A deleted row is overwritten in the database because of `secure_delete`, which every
        writing transaction of the library turns on.
        """
        connection = self._connection()
        if connection.vendor != "sqlite":
            return True
        if in_transaction(connection):
            return False
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            (patience,) = cursor.fetchone()
            # This does not wait for readers: the next upkeep will try again.
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                return empty_journal(cursor)
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {patience}")

    @concurrent_is_aborted
    def begin(self, agency: str, mode: Mode) -> DjangoTransaction:
        """Begins a transaction; `agency` is part of every key and needs no setting here."""
        ending = self._begin(self._connection(), mode)
        try:
            self._first_statements(ending, mode)
        except BaseException:
            ending.rollback()
            raise
        return DjangoTransaction(ending)

    def _begin(self, connection: BaseDatabaseWrapper, mode: Mode) -> Ending:
        if not in_transaction(connection):
            close_second(connection.alias)
            return Block(connection)
        if not in_test(connection):
            if mode is Mode.OWN:
                return Beside(second(connection))
            if mode is Mode.BESIDE:
                try:
                    return Beside(second(connection))
                except InsideTransactionError:
                    pass  # only what the host's transaction sees can be read
        reads = mode in (Mode.READ, Mode.BESIDE)
        return Nothing(connection) if reads else Block(connection)

    def _beside_if_possible(self) -> tuple[BaseDatabaseWrapper, Callable[[], None]]:
        """A connection on which committed data is read, and a function that gives it back.
        Reading on the host's connection would begin its block's snapshot on SQLite, and then
        the block could not write if somebody else writes.
        """
        connection = self._connection()
        if in_transaction(connection) and not in_test(connection):
            try:
                found = second(connection)
                return found.connection, found.release
            except InsideTransactionError:
                pass  # the host has begun to write, so it can still write afterwards
        return connection, lambda: None

    def _connection(self) -> BaseDatabaseWrapper:
        connection = connections[self.using]
        if connection.vendor not in ("postgresql", "sqlite"):
            raise ImproperlyConfigured("PartnerKit keeps its rows in PostgreSQL or SQLite")
        return connection

    def _first_statements(self, ending: Ending, mode: Mode) -> None:
        if isinstance(ending, Nothing):
            return
        reads = mode in (Mode.READ, Mode.BESIDE)
        if ending.connection.vendor == "sqlite":
            statements = [] if reads else [TAKE_WRITE_LOCK, OVERWRITE_DELETED]
        elif reads:
            statements = [SNAPSHOT]
        else:
            statements = [LIMIT_WAITING] if ending.beside_host else []
        with ending.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
