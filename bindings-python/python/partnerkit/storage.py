"""Rows in a place of your own: the contract of a storage written in Python.

A store moves rows of the tables in `partnerkit.schema()` and knows nothing of what they mean.
A row is a tuple of None, int (64 bits, signed), str, bytes and `uuid.UUID`, in the order of its
table's columns; a key is one in the order of its table's `key`. Everything is called on the
thread of whoever called the library, and is done when it returns.

Exceptions: `AbortedError` for whatever a concurrent transaction causes (serialization failure,
deadlock, a busy database), so that the library tries again; `InsideTransactionError` from
`begin`; `OutcomeUnknownError` from `commit` when no answer came; `ConfigurationError` when the
tables are not there as they have to be. Any other exception reaches the
caller as the cause of a `StorageError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

__all__ = [
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
    """64 bits, signed; instants are milliseconds since 1970."""
    TEXT = "text"
    """Compared by code points."""
    BYTES = "bytes"
    UUID = "uuid"


class Mode(StrEnum):
    """What a transaction is for."""

    READ = "read"
    """Reading from one snapshot, as part of the host's transaction if there is one."""
    BESIDE = "beside"
    """Reading from one snapshot of what is committed, beside the host's transaction; where that
    cannot be had, as part of it. Only asked for while `joined` says that there is one."""
    JOIN = "join"
    """Writing as part of the host's transaction if there is one, undone alone by `rollback`."""
    OWN = "own"
    """Writing in a transaction that stays when the host's is rolled back, or
    `InsideTransactionError`."""


class Lock(StrEnum):
    """How strongly rows are held until the transaction ends. The strengths are those of
    PostgreSQL; a store with fewer takes the next stronger one."""

    KEY_SHARE = "key_share"
    """Others may change them and hold them so, too, but nobody may remove them or hold them for
    UPDATE."""
    SHARE = "share"
    """Nobody may change them; others may hold them in share, too."""
    NO_KEY_UPDATE = "no_key_update"
    """Nobody else may change them; they may be held in KEY_SHARE."""
    UPDATE = "update"
    """Nobody else may hold them at all."""


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
    """Whether two rows may not agree in all columns (nulls never agree)."""


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
    """Where a range begins or ends."""

    values: Row
    """Compared as a whole, with as many columns."""
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """Which rows of a table to read, in the order of an index."""

    table: Table
    columns: tuple[str, ...]
    """The columns to go by: the primary key, or those of an index."""
    equals: Row
    """What the leading columns must equal; None is equal to None."""
    range: tuple[Bound | None, Bound | None]
    """Where the columns after those begin and end. A None is in no range that has an end."""
    reverse: bool
    """From the end to the beginning."""
    limit: int
    lock: Lock | None
    """Locks what is found."""


class Is(StrEnum):
    """What a column's value must be."""

    SLUG = "slug"
    """This word, one of the library's own; it can stand in a statement as it is, so that an index
    of the rows with it serves."""
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
    """The column by which they are ordered; the id decides between equals."""
    descending: bool
    """The largest first, of equals that with the largest id."""
    after: tuple[Value, UUID] | None
    """Only rows after this place: a value of the column, and an id."""
    limit: int


class TableTransaction(Protocol):
    """A transaction on rows. It ends with `commit` or `rollback`, and is not used after that."""

    def get(
        self, table: Table, by: tuple[str, ...], keys: Sequence[Row], lock: Lock | None
    ) -> Sequence[Row | None]:
        """For each key its row, by the columns of the primary key or of a unique index. Locks
        them in the order of the keys; a locked row is the newest one."""
        ...

    def scan(self, scan: Scan) -> Sequence[Row]:
        """Rows in the order of an index."""
        ...

    def page(self, spec: PageSpec) -> Sequence[Row]:
        """A page of an agency's rows of the table `resellers`."""
        ...

    def count(self, filter: Filter, cap: int) -> int:
        """How many rows a filter finds; cap stands for that many or more."""
        ...

    def insert(self, table: Table, rows: Sequence[Row]) -> Sequence[bool]:
        """For each row whether it was inserted: False if its key or a unique index is taken, and
        the transaction goes on. Waits for concurrent transactions that have inserted the same.
        """
        ...

    def update(self, table: Table, rows: Sequence[Row]) -> Sequence[bool]:
        """Stores rows that exist and are locked; False for each whose unique index is taken, and
        the transaction goes on."""
        ...

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Stores rows, whether they exist or not."""
        ...

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Adds the last value of each row to what is stored under its key, or to 0. A sum
        beyond 64 bits is `AbortedError`."""
        ...

    def delete(self, table: Table, keys: Sequence[Row]) -> None:
        """Removes the rows with these primary keys."""
        ...

    def commit(self) -> None:
        """Makes everything durable. After an exception nothing is."""
        ...

    def rollback(self) -> None:
        """Undoes everything, and nothing of the host's."""
        ...


class RemovingTransaction(TableTransaction, Protocol):
    """One that does in one step what is otherwise done by `scan`, `get` and `delete`."""

    def remove(self, scan: Scan) -> int:
        """Removes the rows that a scan finds, as they are once they are locked, and passes over
        what others hold: how many."""
        ...


class TableStore(Protocol):
    """A store of rows."""

    def schema_version(self) -> int:
        """The version of `partnerkit.schema()` that the store's tables have, as you have brought
        them up to date; `partnerkit.SCHEMA_VERSION` is that of this release. A newer one is
        refused when the store is first used; raise `ConfigurationError` for one that this release
        cannot work with, and say what to do."""
        ...

    def begin(self, agency: str, mode: Mode) -> TableTransaction:
        """Begins a transaction."""
        ...

    def scrub(self) -> bool:
        """Makes sure that nothing that was deleted can be read from the database's files any
        more; False if somebody is in the way. A server's own files are not meant."""
        ...

    def joined(self) -> bool:
        """Whether `Mode.JOIN` on this thread would now become part of a host's transaction."""
        ...
