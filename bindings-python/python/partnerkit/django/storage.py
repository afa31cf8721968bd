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

# Changes nothing, and takes SQLite's write lock. Whoever reads first and writes then may find
# that somebody else has written in between, and cannot wait for that any more.
TAKE_WRITE_LOCK = 'UPDATE "partnerkit_agencies" SET "numbered" = "numbered" WHERE 0'
# Deleted personal data is not left in free pages.
OVERWRITE_DELETED = "PRAGMA secure_delete = ON"
NUMBER = re.compile(r"\d+")
# What waits for the host's own transaction would wait for ever: that one waits for this.
LIMIT_WAITING = f"SET LOCAL lock_timeout = '{POSTGRES_PATIENCE}'"
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def applied_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """The names of those of the app that the database has. By this very connection: Django's own
    way would look the alias up, and find the host's."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return []
    table = connection.ops.quote_name(recorder.Migration._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM {table} WHERE app = %s", [LABEL])
        return [name for (name,) in cursor.fetchall()]


def empty_journal(cursor: Any) -> bool:
    """Whether SQLite's journal holds no page any more, after an attempt at that."""
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    busy, *_ = cursor.fetchone()
    cursor.execute("PRAGMA journal_mode")
    if cursor.fetchone() != ("persist",):
        return not busy
    # In this mode the pages of before the last transaction stay in the file. Leaving the mode
    # deletes it, unless somebody is in the way: that is not told, but can be seen.
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
        """The number of the newest of the app's migrations that the database has: they are
        numbered as the schema's versions are. Where the host has migrations of its own for the
        app, or none, the tables are those of the models.

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
        """Whether the caller's thread is in a transaction of the host's."""
        return in_hosts_transaction(self._connection())

    @concurrent_is_aborted
    def scrub(self) -> bool:
        """Takes what was deleted out of SQLite's journal, if nobody needs it.

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
            # Nobody waits for a reader: the next upkeep will try again.
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
                    pass  # the host's view is the only one that can be had
        reads = mode in (Mode.READ, Mode.BESIDE)
        return Nothing(connection) if reads else Block(connection)

    def _beside_if_possible(self) -> tuple[BaseDatabaseWrapper, Callable[[], None]]:
        """A connection to look at what is committed with, and how to give it back. A look by the
        host's own would age its block's snapshot on SQLite, and the block could not write then.
        """
        connection = self._connection()
        if in_transaction(connection) and not in_test(connection):
            try:
                found = second(connection)
                return found.connection, found.release
            except InsideTransactionError:
                pass  # it has begun to write, and can go on
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
