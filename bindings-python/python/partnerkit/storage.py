"""The contract of a storage written in Python.

A store moves rows of the tables in `partnerkit.schema()`, and does not know what they mean. A
row is a tuple of None, int (64 bits, signed), str, bytes and `uuid.UUID`, in the order of its
table's columns; a key is a tuple in the order of its table's `key`. All methods are called on
the thread that called the library, and must be done when they return.

Exceptions: `AbortedError` for a failure that a concurrent transaction causes (serialization
failure, deadlock, a busy database), so that the library tries again; `InsideTransactionError`
from `begin`; `OutcomeUnknownError` from `commit` if no answer came; `ConfigurationError` if the
tables are missing or outdated. Any other exception reaches the caller as the cause of a
`StorageError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

__all__ = [
    "AnyThreadStore",
    "Bound",
    "Column",
    "Condition",
    "Filter",
    "Index",
    "Is",
    "Kind",
    "Lock",
    "Mode",
    "PageSpec",
    "RemovingTransaction",
    "Row",
    "Scan",
    "Table",
    "TableStore",
    "TableTransaction",
    "Value",
]

Value = None | int | str | bytes | UUID
Row = tuple[Value, ...]


class Kind(StrEnum):
    """What a column holds."""

    INTEGER = "integer"
    """64-bit signed integers; instants are milliseconds since 1970."""
    TEXT = "text"
    """Text, compared by code points."""
    BYTES = "bytes"
    UUID = "uuid"


class Mode(StrEnum):
    """What a transaction is for."""

    READ = "read"
    """Reading from one snapshot, as part of the host's transaction if there is one."""
    BESIDE = "beside"
    """Reading from one snapshot of what is committed, beside the host's transaction; if that is
    impossible, as part of it. It is used only while `joined` returns True."""
    JOIN = "join"
    """Writing as part of the host's transaction if there is one; `rollback` undoes only these
    writes.
    """
    OWN = "own"
    """Writing in a transaction that stays committed if the host's is rolled back, or
    `InsideTransactionError`."""


class Lock(StrEnum):
    """How strongly rows are locked until the transaction ends. The strengths are those of
    PostgreSQL; a store that has fewer uses the next stronger one."""

    KEY_SHARE = "key_share"
    """Others may change the rows and lock them weakly, but not remove them or lock them for
    UPDATE."""
    SHARE = "share"
    """Nobody may change the rows; others may lock them in share, too."""
    NO_KEY_UPDATE = "no_key_update"
    """Nobody else may change the rows; others may lock them in KEY_SHARE."""
    UPDATE = "update"
    """Nobody else may lock the rows at all."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    kind: Kind
    nullable: bool


@dataclass(frozen=True, slots=True)
class Index:
    """One index."""

    name: str
    columns: tuple[str, ...]
    unique: bool
    """Whether no two rows may have equal values in all columns (nulls are never equal)."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The primary key."""
    indexes: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """The beginning or the end of a range."""

    values: Row
    """The values, which are compared as a tuple with the same number of columns."""
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """Which rows of a table to read, in the order of an index."""

    table: Table
    columns: tuple[str, ...]
    """The columns of the index to follow: the primary key, or one of the table's indexes."""
    equals: Row
    """What the leading columns must equal; None equals None."""
    range: tuple[Bound | None, Bound | None]
    """The range of the columns after the leading ones. A None is in no range that has a bound.
    """
    reverse: bool
    """Whether to go from the end to the beginning."""
    limit: int
    lock: Lock | None
    """Locks the rows that are found."""


class Is(StrEnum):
    """What a column's value must be."""

    SLUG = "slug"
    """Equal to this slug of the library. It may be written into a statement as it is, so that a
    partial index on it can be used."""
    AT_LEAST = "at_least"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a column."""

    column: str
    what: Is
    value: Value


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows of the table `resellers` to list or count."""

    agency: str
    terms: tuple[str, ...]
    """Each must be a substring of `search_text`; no character is a wildcard."""
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A page of the table `resellers`."""

    filter: Filter
    order: str
    """The column by which the rows are ordered; the id decides between equals."""
    descending: bool
    """Whether the largest comes first; of equals, the one with the largest id."""
    after: tuple[Value, UUID] | None
    """Only rows after this place: a value of the column, and an id."""
    limit: int


class TableTransaction(Protocol):
    """A transaction on rows. It ends with `commit` or `rollback`, and is not used after that."""

    def get(
        self, table: Table, by: tuple[str, ...], keys: Sequence[Row], lock: Lock | None
    ) -> Sequence[Row | None]:
        """The row of each key, or None, by the columns of the primary key or of a unique index.
        With `lock`, locks the rows in the order of the keys, and returns their newest versions.
        """
        ...

    def scan(self, scan: Scan) -> Sequence[Row]:
        """Rows in the order of an index."""
        ...

    def page(self, spec: PageSpec) -> Sequence[Row]:
        """A page of an agency's rows of the table `resellers`."""
        ...

    def count(self, filter: Filter, cap: int) -> int:
        """Counts the rows that a filter finds, up to `cap`."""
        ...

    def insert(self, table: Table, rows: Sequence[Row]) -> Sequence[bool]:
        """Inserts rows, and returns for each whether it was inserted: False if its key or a
        value of a unique index is taken, and then the transaction goes on. It waits for
        concurrent transactions that have inserted the same key or value.
        """
        ...

    def update(self, table: Table, rows: Sequence[Row]) -> Sequence[bool]:
        """Stores rows that exist and are locked. It returns False for each with a value of a
        unique index that is taken, and then the transaction goes on."""
        ...

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Stores rows, whether they exist or not."""
        ...

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Adds the values of each row that are not in its key to the stored row with that key; a
        missing row counts as 0. A sum beyond 64 bits is `AbortedError`."""
        ...

    def delete(self, table: Table, keys: Sequence[Row]) -> None:
        """Removes the rows with these primary keys."""
        ...

    def commit(self) -> None:
        """Makes everything durable. After an exception nothing is durable."""
        ...

    def rollback(self) -> None:
        """Undoes everything in this transaction, and nothing of the host's."""
        ...


class RemovingTransaction(TableTransaction, Protocol):
    """A transaction that does in one step what otherwise takes `scan`, `get` and `delete`."""

    def remove(self, scan: Scan) -> int:
        """Locks and removes the rows that a scan finds, and returns their number. It skips rows
        that others have locked, and rows that no longer match once they are locked."""
        ...


class TableStore(Protocol):
    """A store of rows."""

    def schema_version(self) -> int:
        """The schema version of the store's tables, which you migrate;
        `partnerkit.SCHEMA_VERSION` is the version of this release. A newer one is refused when
        the store is first used; for an older one that this release cannot work with, raise
        `ConfigurationError`, and say what to do."""
        ...

    def begin(self, agency: str, mode: Mode) -> TableTransaction:
        """Begins a transaction."""
        ...

    def scrub(self) -> bool:
        """Makes sure that deleted data can no longer be read from the database's files; returns
        False if a reader is in the way. For a database server there is nothing to do."""
        ...

    def joined(self) -> bool:
        """Whether `Mode.JOIN` on this thread would now become part of a host's transaction."""
        ...


class AnyThreadStore(TableStore, Protocol):
    """A store that may be used on any thread, because it joins no transaction of the thread that
    calls: its `joined` always returns False. Only such a store can be used through
    `partnerkit.AsyncPlatform`, whose calls run on threads of the library.
    """

    @property
    def any_thread(self) -> bool:
        """True. A store without this attribute is used only on the threads that call it."""
        ...
