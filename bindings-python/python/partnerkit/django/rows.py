"""A transaction on rows, over a Django connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error

from .. import schema
from ..errors import AbortedError, InsideTransactionError, OutcomeUnknownError
from ..storage import Filter, Lock, PageSpec, Row, Scan, Table
from .endings import Ending
from .failures import (
    concurrent_is_aborted,
    is_concurrent,
    is_lock_timeout,
    is_overflow,
    is_rolled_back,
)
from .sql import Dialect, Statement, chunks

KEEPS_LOCKED = "the host's own transaction, or another one, keeps something locked for too long"

(SECRETS,) = (table for table in schema() if table.name == "secrets")
# What the platforms of this process go on using, whatever becomes of the rows.
KNOWN_SECRETS: dict[tuple[str, ...], list[Row]] = {}


def place(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """Which database it is, whichever connection leads there."""
    return tuple(str(connection.settings_dict[name]) for name in ("HOST", "PORT", "NAME"))


def cannot_match(filter: Filter) -> bool:
    """No stored text has a NUL, and PostgreSQL takes none."""
    return any("\0" in term for term in filter.terms)


class DjangoTransaction:
    """A `partnerkit.storage.TableTransaction`.

    `ending` is how it commits or is undone.
    """

    def __init__(self, resellers: Table, ending: Ending) -> None:
        self.resellers = resellers
        self.ending = ending
        self.connection = ending.connection
        self.dialect = Dialect(self.connection)

    # Reading

    @concurrent_is_aborted
    def get(self, table: Table, keys: Sequence[Row], lock: Lock | None) -> list[Row | None]:
        position = [column.name for column in table.columns].index
        key_columns = [position(column) for column in table.key]
        found: dict[Row, Row] = {}
        for chunk in chunks(keys):
            for row in self._rows(table, self.dialect.get(table, chunk, lock)):
                found[tuple(row[column] for column in key_columns)] = row
        return [found.get(key) for key in keys]

    @concurrent_is_aborted
    def scan(self, scan: Scan) -> list[Row]:
        rows = self._rows(scan.table, self.dialect.scan(scan))
        if scan.table == SECRETS and rows:
            self._remember_secrets(rows)
        return rows

    @concurrent_is_aborted
    def search(self, agency: str, page: PageSpec) -> list[Row]:
        if cannot_match(page.filter):
            return []
        return self._rows(self.resellers, self.dialect.search(self.resellers, agency, page))

    @concurrent_is_aborted
    def count(self, agency: str, filter: Filter, cap: int) -> int:
        if cannot_match(filter):
            return 0
        ((count,),) = self._execute(self.dialect.count(self.resellers, agency, filter, cap))
        return int(count)  # type: ignore[call-overload,no-any-return]

    # Writing

    @concurrent_is_aborted
    def insert(self, table: Table, rows: Sequence[Row]) -> list[bool]:
        position = [column.name for column in table.columns].index
        key_columns = [position(column) for column in table.key]
        inserted: set[Row] = set()
        for chunk in chunks(rows):
            answer = self._execute(self.dialect.insert(table, chunk))
            inserted.update(self.dialect.key_of(table, key) for key in answer)
        if table == SECRETS and inserted:
            self._remember_secrets(rows)
        stored = []
        for row in rows:
            key = tuple(row[column] for column in key_columns)
            stored.append(key in inserted)
            # A second row of this key was in the first one's way.
            inserted.discard(key)
        return stored

    @concurrent_is_aborted
    def update(self, table: Table, rows: Sequence[Row]) -> list[bool]:
        return [self._update(table, row) for row in rows]

    def _update(self, table: Table, row: Row) -> bool:
        savepoint: Any = self.connection.savepoint()
        try:
            self._execute(self.dialect.update(table, row))
        except IntegrityError:
            self.connection.savepoint_rollback(savepoint)
            self.connection.savepoint_commit(savepoint)
            return False
        self.connection.savepoint_commit(savepoint)
        return True

    @concurrent_is_aborted
    def put(self, table: Table, rows: Sequence[Row]) -> None:
        for chunk in chunks(rows):
            self._execute(self.dialect.put(table, chunk))

    @concurrent_is_aborted
    def add(self, table: Table, rows: Sequence[Row]) -> None:
        for chunk in chunks(rows):
            try:
                sums = self._execute(self.dialect.add(table, chunk))
            except Error as error:
                if is_overflow(error):
                    raise AbortedError("a total has no room left") from error
                raise
            # SQLite goes on with a floating-point number.
            if not all(isinstance(total, int) for (total,) in sums):
                raise AbortedError("a total has no room left")

    @concurrent_is_aborted
    def delete(self, table: Table, keys: Sequence[Row]) -> None:
        for chunk in chunks(keys):
            self._execute(self.dialect.delete(table, chunk))

    # Ending

    def commit(self) -> None:
        try:
            self.ending.commit()
        except Error as error:
            if is_concurrent(error):
                raise self._in_the_way(error) from error
            if self.ending.outermost and not is_rolled_back(error):
                raise OutcomeUnknownError("no answer that tells came to COMMIT") from error
            raise

    def _in_the_way(self, error: Error) -> Exception:
        # With a rollback journal, whoever has only read keeps others from committing.
        sqlite = self.connection.vendor == "sqlite"
        if self.ending.beside_host and (sqlite or is_lock_timeout(error)):
            return InsideTransactionError(KEEPS_LOCKED)
        return AbortedError("a concurrent transaction was in the way")

    def rollback(self) -> None:
        self.ending.rollback()

    def _remember_secrets(self, rows: Sequence[Row]) -> None:
        KNOWN_SECRETS[place(self.connection)] = list(rows)

    # Statements

    def _execute(self, statement: Statement) -> list[tuple[object, ...]]:
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(*statement)
                return cursor.fetchall() if cursor.description else []
        except Error as error:
            if self.ending.beside_host and is_lock_timeout(error):
                raise InsideTransactionError(KEEPS_LOCKED) from error
            raise

    def _rows(self, table: Table, statement: Statement) -> list[Row]:
        return [self.dialect.row(table, row) for row in self._execute(statement)]
