"""Whose transaction it is: the host's, joined by a savepoint, or one of its own beside it."""

from __future__ import annotations

import copy
import sqlite3
from threading import Lock
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ..errors import InsideTransactionError

# How long a transaction beside the host's waits for a lock that the host itself may hold.
PATIENCE_SECONDS = 0.2

_making_alias = Lock()


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether the host has a transaction open on this thread."""
    return connection.in_atomic_block or not connection.get_autocommit()


def beside(connection: BaseDatabaseWrapper) -> str:
    """The alias of a second connection to the same database, for this thread.

    Raises InsideTransactionError where it could only wait for the first one: then nobody would
    ever go on.
    """
    if connection.vendor == "sqlite":
        if is_in_memory(connection) or holds_write_lock(connection):
            raise InsideTransactionError(
                "the host's transaction has locked the SQLite database"
            )
    alias = f"{connection.alias}__partnerkit"
    with _making_alias:
        if alias not in connections.settings:
            settings = copy.deepcopy(connection.settings_dict)
            if connection.vendor == "sqlite" and not has_write_ahead_log(connection):
                settings["OPTIONS"]["timeout"] = PATIENCE_SECONDS
            connections.settings[alias] = settings
    return alias


def has_write_ahead_log(connection: BaseDatabaseWrapper) -> bool:
    """Whether readers of the SQLite database are in no writer's way."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return bool(cursor.fetchone()[0] == "wal")


def is_in_memory(connection: BaseDatabaseWrapper) -> bool:
    """Whether the SQLite database is the connection's alone."""
    creation: Any = connection.creation
    return bool(creation.is_in_memory_db(connection.settings_dict["NAME"]))


class _Probed(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


def holds_write_lock(connection: BaseDatabaseWrapper) -> bool:
    """Whether this SQLite connection has begun to write.

    SQLite does not tell, but its backup does: of a connection that is writing it answers BUSY
    at once, and nothing else is changed or locked by asking for one page.
    """

    def progress(status: int, _remaining: int, _total: int) -> None:
        raise _Probed(status)

    target = sqlite3.connect(":memory:")
    try:
        connection.connection.backup(target, pages=1, progress=progress, sleep=0)
    except _Probed as probed:
        return probed.status == sqlite3.SQLITE_BUSY
    finally:
        target.close()
    return False
