"""The storage that lives in a Django project's database."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from .. import schema
from ..errors import InsideTransactionError
from ..storage import Mode
from .apps import PartnerKitConfig
from .failures import concurrent_is_aborted
from .rows import DjangoTransaction
from .scopes import beside, has_write_ahead_log, in_transaction

# Changes nothing, and takes SQLite's write lock. Whoever reads first and writes then may find
# that somebody else has written in between, and cannot wait for that any more.
TAKE_WRITE_LOCK = 'UPDATE "partnerkit_agencies" SET "numbered" = "numbered" WHERE 0'
# Deleted personal data is not left in free pages.
OVERWRITE_DELETED = "PRAGMA secure_delete = ON"
NUMBER = re.compile(r"\d+")
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def empty_journal(cursor: Any) -> bool:
    """Whether SQLite's journal holds no page any more, after an attempt at that."""
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (busy, *_) = cursor.fetchone()
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
    connection, so that they stay counted when the block is rolled back. On SQLite that is not
    possible once the block has written: sign in before, or outside of it. After a sign-in inside
    a block that has only read, SQLite refuses the block's first write: its snapshot has aged.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using
        (self._resellers,) = (table for table in schema() if table.name == "resellers")

    def schema_version(self) -> int:
        """The number of the newest of the app's migrations that the database has: they are
        numbered as the schema's versions are."""
        applied = MigrationRecorder(self._connection()).applied_migrations()
        names = [name for app, name in applied if app == PartnerKitConfig.label]
        return max((int(number[0]) for name in names if (number := NUMBER.match(name))), default=0)

    def joined(self) -> bool:
        """Whether the caller's thread is in a transaction of the host's."""
        return in_transaction(self._connection())

    @concurrent_is_aborted
    def scrub(self) -> bool:
        """Takes what was deleted out of SQLite's journal, if nobody needs it.

        A deleted row is overwritten in the database because of `secure_delete`, which every
        writing transaction of the library turns on.
        """
        connection = self._connection()
        if connection.vendor != "sqlite":
            return True
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
        connection = self._connection()
        joined = in_transaction(connection)
        if mode is Mode.BESIDE and joined:
            try:
                connection, joined = connections[beside(connection)], False
            except InsideTransactionError:
                mode = Mode.READ  # the host's view is the only one that can be had
        if mode is Mode.READ and joined:
            return DjangoTransaction(connection, self._resellers, None)
        inside_host = False
        if mode is Mode.OWN and joined:
            alias = beside(connection)
            inside_host = connection.vendor == "sqlite" and not has_write_ahead_log(connection)
            connection, joined = connections[alias], False
        atomic = transaction.atomic(using=connection.alias)
        atomic.__enter__()
        try:
            self._first_statement(connection, mode)
        except BaseException:
            atomic.__exit__(*sys.exc_info())
            raise
        return DjangoTransaction(
            connection,
            self._resellers,
            atomic,
            outermost=not joined,
            inside_host=inside_host,
        )

    def _connection(self) -> BaseDatabaseWrapper:
        connection = connections[self.using]
        if connection.vendor not in ("postgresql", "sqlite"):
            raise ImproperlyConfigured("PartnerKit keeps its rows in PostgreSQL or SQLite")
        return connection

    def _first_statement(self, connection: BaseDatabaseWrapper, mode: Mode) -> None:
        statements = []
        reads = mode in (Mode.READ, Mode.BESIDE)
        if not reads and connection.vendor == "sqlite":
            statements = [TAKE_WRITE_LOCK, OVERWRITE_DELETED]
        elif reads and connection.vendor == "postgresql":
            statements = [SNAPSHOT]
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
