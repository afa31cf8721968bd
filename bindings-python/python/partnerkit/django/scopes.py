"""Finds out whether a connection is in no transaction, in one of the host, or in one of a test."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether a transaction is open on the connection, or would be with the next statement."""
    return connection.in_atomic_block or not connection.get_autocommit()


def _blocks_of_a_test(connection: BaseDatabaseWrapper) -> list[bool]:
    """Whether Django's `TestCase` has opened it, for each open block."""
    # Django's own attribute, by which it allows `durable` blocks in a test.
    blocks: list[Any] = connection.atomic_blocks
    return [block._from_testcase for block in blocks]


def in_test(connection: BaseDatabaseWrapper) -> bool:
    """Whether Django's `TestCase` will undo everything; then nothing may be done outside its
    block.
    """
    return any(_blocks_of_a_test(connection))


def in_hosts_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether the host has a transaction open; the blocks of a `TestCase` do not count."""
    if not in_transaction(connection):
        return False
    blocks = _blocks_of_a_test(connection)
    return not blocks or not all(blocks)


def has_write_ahead_log(connection: BaseDatabaseWrapper) -> bool:
    """Whether readers of the SQLite database do not block writers."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return bool(cursor.fetchone()[0] == "wal")


def is_in_memory(connection: BaseDatabaseWrapper) -> bool:
    """Whether the SQLite database belongs to this connection alone."""
    creation: Any = connection.creation
    return bool(creation.is_in_memory_db(connection.settings_dict["NAME"]))


class _Probed(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


def holds_write_lock(connection: BaseDatabaseWrapper) -> bool:
    """Whether this SQLite connection has begun to write.

    SQLite has no function for this, but its backup answers BUSY at once if the connection is
    writing. Asking for one page changes and locks nothing else.
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
