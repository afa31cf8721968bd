"""SQL for rows of the schema's tables, including the differences between PostgreSQL and SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from .. import schema
from ..storage import Filter, Is, Kind, Lock, PageSpec, Row, Scan, Table, Value
from .names import PREFIX

# SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.
PARAMETERS = 30_000

TYPES = {Kind.INTEGER: "bigint", Kind.TEXT: "text", Kind.BYTES: "bytea", Kind.UUID: "uuid"}
SIGNS = {Is.SLUG: "=", Is.AT_LEAST: ">=", Is.BELOW: "<"}

(RESELLERS,) = (table for table in schema() if table.name == "resellers")

# A statement or a part of one, and its parameters. It contains only names of the schema; all
# values are parameters.
Sql = tuple[str, list[Value]]


class Dialect:
    """The statements that depend on the kind of database."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.postgres = connection.vendor == "postgresql"

    def get(self, table: Table, by: Sequence[str], keys: Sequence[Row]) -> Sql:
        """Rows by key, in the order of the key, which is the lock order."""
        return select(columns(table), table, [self._any(table, by, keys)], by)

    def delete(self, table: Table, keys: Sequence[Row]) -> Sql:
        """Removes rows by primary key."""
        these, values = where([self._any(table, table.key, keys)])
        return f"DELETE FROM {name(table)}{these}", values

    def remove(self, scan: Scan) -> Sql:
        """Removes the rows that a scan finds, and returns a row for each. It skips rows that
        others have locked, and checks a row again once it is locked, because somebody may have
        changed it meanwhile."""
        if self.postgres:
            # The array is made once, while a subquery of IN may run again and find other rows.
            first, values = self.locked(in_range("ctid", scan), Lock.UPDATE, " SKIP LOCKED")
            found = f"ctid = ANY(ARRAY({first}))", values
        else:
            key = names(scan.table.key)
            first, values = in_range(key, scan)
            found = f"({key}) IN ({first})", values
        again, values = where([*ranges(scan), found])
        return f"DELETE FROM {name(scan.table)}{again} RETURNING 1", values

    def locked(self, found: Sql, lock: Lock | None, otherwise: str = "") -> Sql:
        """Locks the rows that are found. On SQLite the only writer has locked everything
        already.
        """
        if lock is None or not self.postgres:
            return found
        return f"{found[0]} FOR {lock.replace('_', ' ').upper()}{otherwise}", found[1]

    def parameters(self, values: Sequence[Value]) -> Sequence[Value]:
        """Values as they are stored."""
        if self.postgres:
            return values
        # Django stores a UUID in SQLite as 32 hexadecimal digits, which have the same order.
        return [value.hex if isinstance(value, UUID) else value for value in values]

    def _any(self, table: Table, by: Sequence[str], keys: Sequence[Row]) -> Sql:
        """The condition for any of these keys."""
        if len(keys) == 1:
            return compared(by, "=", keys[0])
        rows = [marks(by)] * len(keys)
        if self.postgres:
            # PostgreSQL would take the values for text if the first row did not give their
            # types.
            kinds = {column.name: column.kind for column in table.columns}
            rows[0] = f"({', '.join(f'CAST(%s AS {TYPES[kinds[column]]})' for column in by)})"
        return f"({names(by)}) IN (VALUES {', '.join(rows)})", flat(keys)


def page(spec: PageSpec) -> Sql:
    """A page of resellers."""
    found, order = filtered(spec.filter), (spec.order, "id")
    if spec.after is not None:
        found.append(compared(order, "<" if spec.descending else ">", spec.after))
    return select(columns(RESELLERS), RESELLERS, found, order, spec.descending, spec.limit)


def count(filter: Filter, cap: int) -> Sql:
    """Counts the resellers that a filter finds, up to a cap."""
    found, values = select("1", RESELLERS, filtered(filter), limit=cap)
    return f"SELECT count(*) FROM ({found}) AS found", values


def insert(table: Table, rows: Sequence[Row], conflict: str | None = None) -> Sql:
    """Inserts rows that conflict with no other, and returns their keys."""
    conflict = conflict or f"DO NOTHING RETURNING {names(table.key)}"
    values = ", ".join([marks(table.columns)] * len(rows))
    into = f"INSERT INTO {name(table)} ({columns(table)}) VALUES {values}"
    return f"{into} ON CONFLICT {conflict}", flat(rows)


def put(table: Table, rows: Sequence[Row]) -> Sql:
    """Inserts rows, or replaces rows with the same keys."""
    others = (quoted(column.name) for column in table.columns if column.name not in table.key)
    changes = ", ".join(f"{column} = excluded.{column}" for column in others)
    return insert(table, rows, f"({names(table.key)}) DO UPDATE SET {changes}")


def add(table: Table, rows: Sequence[Row]) -> Sql:
    """Adds the columns that are not in the key to the stored ones, and returns the sums."""
    others = [quoted(column.name) for column in table.columns if column.name not in table.key]
    changes = ", ".join(
        f"{column} = {name(table)}.{column} + excluded.{column}" for column in others
    )
    change = f"DO UPDATE SET {changes} RETURNING {', '.join(others)}"
    return insert(table, rows, f"({names(table.key)}) {change}")


def update(table: Table, row: Row) -> Sql:
    """Replaces one row."""
    by_name = {column.name: value for column, value in zip(table.columns, row, strict=True)}
    this, key = compared(table.key, "=", [by_name.pop(column) for column in table.key])
    changes = ", ".join(f"{quoted(column)} = %s" for column in by_name)
    update = f"UPDATE {name(table)} SET {changes} WHERE {this} RETURNING 1"
    return update, [*by_name.values(), *key]


def in_range(what: str, scan: Scan) -> Sql:
    """The rows of a scan, in its order."""
    order = scan.columns[len(scan.equals) :]
    return select(what, scan.table, ranges(scan), order, scan.reverse, scan.limit)


def select(
    what: str,
    table: Table,
    conditions: Iterable[Sql],
    order: Sequence[str] = (),
    descending: bool = False,
    limit: int | None = None,
) -> Sql:
    these, values = where(conditions)
    way = "DESC" if descending else "ASC"
    by = ", ".join(f"{quoted(column)} {way}" for column in order)
    sql = f"SELECT {what} FROM {name(table)}{these}{' ORDER BY ' if by else ''}{by}"
    return (sql, values) if limit is None else (f"{sql} LIMIT %s", [*values, limit])


def where(conditions: Iterable[Sql]) -> Sql:
    every = list(conditions)
    sql = " AND ".join(sql for sql, _ in every)
    return f" WHERE {sql}" if sql else "", flat(values for _, values in every)


def ranges(scan: Scan) -> list[Sql]:
    """The conditions of a scan, without its order and limit."""
    found = [compared([c], "=", [v]) for c, v in zip(scan.columns, scan.equals, strict=False)]
    for bound, sign in zip(scan.range, "><", strict=True):
        if bound is not None:
            order = scan.columns[len(scan.equals) :][: len(bound.values)]
            found.append(compared(order, sign + "=" * bound.inclusive, bound.values))
    return found


def filtered(filter: Filter) -> list[Sql]:
    """The conditions of a filter."""
    agency = compared(["agency"], "=", [filter.agency])
    conditions = (compared([c.column], SIGNS[c.what], [c.value]) for c in filter.conditions)
    return [agency, *map(having, filter.terms), *conditions]


def having(term: str) -> Sql:
    """The condition for a term, whose wildcards are escaped."""
    if "\0" in term:
        # No stored text contains NUL, and PostgreSQL refuses it.
        return "1 = 0", []
    term = term.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return "\"search_text\" LIKE %s ESCAPE '!'", [f"%{term}%"]


def compared(columns: Sequence[str], sign: str, values: Sequence[Value]) -> Sql:
    """Columns compared with values, as tuples. A null equals a null."""
    if values == [None]:
        return f"{names(columns)} IS NULL", []
    return f"({names(columns)}) {sign} {marks(values)}", [*values]


def chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows in batches of as many as one statement takes."""
    size = PARAMETERS // max(len(rows[0]), 1) if rows else 1
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def value(kind: Kind, value: object) -> Value:
    """A stored value in the type of the contract."""
    if kind is Kind.UUID and isinstance(value, str):
        return UUID(hex=value)
    if kind is Kind.BYTES and isinstance(value, memoryview):
        return bytes(value)
    return value  # type: ignore[return-value]


def flat(rows: Iterable[Sequence[Value]]) -> list[Value]:
    return [value for row in rows for value in row]


def marks(values: Sequence[object]) -> str:
    return f"({', '.join(['%s'] * len(values))})"


def quoted(column: str) -> str:
    """A quoted name of the schema; no name contains a quotation mark."""
    return f'"{column}"'


def names(columns: Iterable[str]) -> str:
    return ", ".join(map(quoted, columns))


def columns(table: Table) -> str:
    return names(column.name for column in table.columns)


def name(table: Table) -> str:
    return quoted(f"{PREFIX}{table.name}")
