"""A transaction on rows, over a Django connection."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic
from django.db.utils import Error

from ..errors import AbortedError, InsideTransactionError, OutcomeUnknownError
from ..storage import Filter, Lock, PageSpec, Row, Scan, Table
from .failures import concurrent_is_aborted, is_concurrent, is_overflow, lost_connection
from .sql import Dialect, Statement, chunks


class Undo(Exception):
    """Makes an atomic block roll back."""


def cannot_match(filter: Filter) -> bool:
    """No stored text has a NUL, and PostgreSQL takes none."""
    return any("\0" in term for term in filter.terms)


class DjangoTransaction:
    """A `partnerkit.storage.TableTransaction`.

    `atomic` is the block it is in, None when it only reads inside the host's. `outermost` says
    whether that block commits; `inside_host` whether it stands beside a transaction of the
    host's that cannot go on before this one ends.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        resellers: Table,
        atomic: Atomic | None,
        *,
        outermost: bool = False,
        inside_host: bool = False,
    ) -> None:
        self.connection = connection
        self.resellers = resellers
        self.atomic = atomic
        self.outermost = outermost
        self.inside_host = inside_host
        self.dialect = Dialect(connection)

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
        return self._rows(scan.table, self.dialect.scan(scan))

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
        try:
            with Atomic(self.connection.alias, savepoint=True, durable=False):
                self._execute(self.dialect.update(table, row))
        except IntegrityError:
            return False
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
        if self.atomic is None:
            return
        try:
            self.atomic.__exit__(None, None, None)
        except Error as error:
            if is_concurrent(error):
                raise self._in_the_way() from error
            if self.outermost and lost_connection(error):
                raise OutcomeUnknownError("no answer came to COMMIT") from error
            raise

    def _in_the_way(self) -> Exception:
        if self.inside_host:
            return InsideTransactionError("the host's transaction keeps the database locked")
        return AbortedError("a concurrent transaction was in the way")

    def rollback(self) -> None:
        if self.atomic is not None:
            undo = Undo()
            self.atomic.__exit__(Undo, undo, None)

    # Statements

    def _execute(self, statement: Statement) -> list[tuple[object, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(*statement)
            return cursor.fetchall() if cursor.description else []

    def _rows(self, table: Table, statement: Statement) -> list[Row]:
        return [self.dialect.row(table, row) for row in self._execute(statement)]
