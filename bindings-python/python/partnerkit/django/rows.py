"""A transaction on rows, over a Django connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error

from .. import schema
from ..errors import AbortedError, InsideTransactionError, OutcomeUnknownError, StorageError
from ..storage import Column, Filter, Lock, PageSpec, Row, Scan, Table
from . import sql
from .endings import Ending
from .failures import (
    concurrent_is_aborted,
    is_concurrent,
    is_lock_timeout,
    is_overflow,
    is_rolled_back,
)

KEEPS_LOCKED = "the host's own transaction, or another one, keeps something locked for too long"

(SECRETS,) = (table for table in schema() if table.name == "secrets")
# The secrets that the platforms of this process keep using, even if the rows are deleted.
KNOWN_SECRETS: dict[tuple[str, ...], list[Row]] = {}


def place(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """The identity of a database, which is the same for all connections to it."""
    return tuple(str(connection.settings_dict[name]) for name in ("HOST", "PORT", "NAME"))


def picking(table: Table, columns: Sequence[str]) -> Callable[[Row], Row]:
    """A function that returns the values of these columns of a row."""
    names = [column.name for column in table.columns]
    places = [names.index(column) for column in columns]
    return lambda row: tuple(row[place] for place in places)


class DjangoTransaction:
    """A `partnerkit.storage.RemovingTransaction`; `ending` commits it or rolls it back."""

    def __init__(self, ending: Ending) -> None:
        self.ending = ending
        self.connection = ending.connection
        self.dialect = sql.Dialect(self.connection)

    # Reading

    def get(
        self, table: Table, by: tuple[str, ...], keys: Sequence[Row], lock: Lock | None
    ) -> list[Row | None]:
        key_of = picking(table, by)
        found: dict[Row, Row] = {}
        for chunk in sql.chunks(keys):
            rows = self.dialect.locked(self.dialect.get(table, by, chunk), lock)
            found |= {key_of(row): row for row in self._rows(table.columns, rows)}
        return [found.get(key) for key in keys]

    def scan(self, scan: Scan) -> list[Row]:
        found = sql.in_range(sql.columns(scan.table), scan)
        rows = self._rows(scan.table.columns, self.dialect.locked(found, scan.lock))
        if scan.table == SECRETS and rows:
            self._remember_secrets(rows)
        return rows

    def page(self, spec: PageSpec) -> list[Row]:
        return self._rows(sql.RESELLERS.columns, sql.page(spec))

    def count(self, filter: Filter, cap: int) -> int:
        ((found,),) = self._execute(sql.count(filter, cap))
        return int(found)

    # Writing

    def insert(self, table: Table, rows: Sequence[Row]) -> list[bool]:
        key_of = picking(table, table.key)
        key = [column for name in table.key for column in table.columns if column.name == name]
        inserted: dict[Row, bool] = {}
        for chunk in sql.chunks(rows):
            inserted |= dict.fromkeys(self._rows(key, sql.insert(table, chunk)), True)
        if table == SECRETS and inserted:
            self._remember_secrets(rows)
        # Of two rows with one key, only the first was inserted.
        return [inserted.pop(key_of(row), False) for row in rows]

    def update(self, table: Table, rows: Sequence[Row]) -> list[bool]:
        return [self._update(table, row) for row in rows]

    def _update(self, table: Table, row: Row) -> bool:
        savepoint: Any = self.connection.savepoint()
        try:
            updated = self._execute(sql.update(table, row))
        except IntegrityError:
            self.connection.savepoint_rollback(savepoint)
            self.connection.savepoint_commit(savepoint)
            return False
        self.connection.savepoint_commit(savepoint)
        if not updated:
            raise StorageError("a row to update was not locked first, or does not exist")
        return True

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        for chunk in sql.chunks(rows):
            self._execute(sql.put(table, chunk))

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        for chunk in sql.chunks(rows):
            try:
                sums = self._execute(sql.add(table, chunk))
            except Error as error:
                if is_overflow(error):
                    raise AbortedError("a total would overflow") from error
                raise
            # SQLite turns a sum that is too large into a floating-point number.
            if not all(isinstance(total, int) for row in sums for total in row):
                raise AbortedError("a total would overflow")

    def delete(self, table: Table, keys: Sequence[Row]) -> None:
        for chunk in sql.chunks(keys):
            self._execute(self.dialect.delete(table, chunk))

    def remove(self, scan: Scan) -> int:
        return len(self._execute(self.dialect.remove(scan)))

    # Ending

    def commit(self) -> None:
        try:
            self.ending.commit()
        except Error as error:
            if is_concurrent(error):
                raise self._in_the_way(error) from error
            if self.ending.outermost and not is_rolled_back(error):
                raise OutcomeUnknownError(
                    "the error at COMMIT does not say whether anything was committed"
                ) from error
            raise

    def _in_the_way(self, error: Error) -> Exception:
        # With a rollback journal, even a transaction that has only read keeps others from
        # committing.
        sqlite = self.connection.vendor == "sqlite"
        if self.ending.beside_host and (sqlite or is_lock_timeout(error)):
            return InsideTransactionError(KEEPS_LOCKED)
        return AbortedError("a concurrent transaction was in the way")

    def rollback(self) -> None:
        self.ending.rollback()

    def _remember_secrets(self, rows: Sequence[Row]) -> None:
        KNOWN_SECRETS[place(self.connection)] = list(rows)

    # Statements

    @concurrent_is_aborted
    def _execute(self, statement: sql.Sql) -> list[tuple[Any, ...]]:
        text, values = statement
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(text, self.dialect.parameters(values))
                return cursor.fetchall() if cursor.description else []
        except Error as error:
            if self.ending.beside_host and is_lock_timeout(error):
                raise InsideTransactionError(KEEPS_LOCKED) from error
            raise

    def _rows(self, columns: Sequence[Column], statement: sql.Sql) -> list[Row]:
        """The rows that a statement returns, in the types of the contract."""
        kinds = [column.kind for column in columns]
        return [tuple(map(sql.value, kinds, row)) for row in self._execute(statement)]
