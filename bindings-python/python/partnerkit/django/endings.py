"""How a transaction begins and ends: as a block on the host's connection, or on a connection of
our own; or not at all, because it only reads inside the host's transaction."""

from __future__ import annotations

from typing import Protocol

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error

from ..errors import InsideTransactionError
from .scopes import in_transaction
from .second import Second


class Ending(Protocol):
    """A transaction that has begun."""

    connection: BaseDatabaseWrapper
    outermost: bool
    """Whether `commit` makes it durable."""
    beside_host: bool
    """Whether the host's own transaction on this thread waits until this one ends."""

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


class Undo(Exception):
    """Makes an atomic block roll back."""


class Nothing:
    """No transaction of our own: the host's simply goes on."""

    outermost = False
    beside_host = False

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def commit(self) -> None:
        """Nothing was written."""

    def rollback(self) -> None:
        """Nothing was written."""


def begin_hosts(connection: BaseDatabaseWrapper) -> None:
    """Begins the host's transaction if `AUTOCOMMIT` is False and it has no statement yet.
    Otherwise a savepoint would be SQLite's outermost one, and releasing it would commit."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        connection.ensure_connection()
        if not connection.connection.in_transaction:
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")


class Block:
    """A block on the host's connection: a savepoint inside the host's transaction, or a
    transaction.
    """

    beside_host = False

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.outermost = not in_transaction(connection)
        if not self.outermost:
            begin_hosts(connection)
        self.atomic = transaction.atomic(using=connection.alias)
        self.atomic.__enter__()

    def commit(self) -> None:
        self.atomic.__exit__(None, None, None)

    def rollback(self) -> None:
        self.atomic.__exit__(Undo, Undo(), None)


class Beside:
    """A transaction on the second connection."""

    outermost = True
    beside_host = True

    def __init__(self, second: Second) -> None:
        self.second = second
        self.connection = connection = second.connection
        if in_transaction(connection):
            # A new transaction would only be a savepoint, which would not stay committed.
            raise InsideTransactionError("the second connection is in a transaction already")
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    def commit(self) -> None:
        try:
            self.connection.commit()
            self.connection.set_autocommit(True)
        except BaseException:
            # Its state is unknown now; closing the connection rolls back whatever is open.
            self.second.close()
            raise
        self.second.release()

    def rollback(self) -> None:
        try:
            self.connection.rollback()
            self.connection.set_autocommit(True)
        except Error:
            # If the connection is lost, the transaction is rolled back, too.
            self.second.close()
        else:
            self.second.release()
