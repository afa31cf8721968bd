"""SQL for rows of the schema's tables: what PostgreSQL and SQLite do not say alike is here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from ..storage import Filter, Kind, Lock, PageSpec, Row, Scan, Table, Value

# SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.
PARAMETERS = 30_000

TYPES = {Kind.INTEGER: "bigint", Kind.TEXT: "text", Kind.BYTES: "bytea", Kind.UUID: "uuid"}
LOCKS = {
    Lock.KEY_SHARE: " FOR KEY SHARE",
    Lock.SHARE: " FOR SHARE",
    Lock.NO_KEY_UPDATE: " FOR NO KEY UPDATE",
    Lock.UPDATE: " FOR UPDATE",
}

Statement = tuple[str, list[Value]]


def chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows, as many at a time as one statement takes."""
    size = PARAMETERS // max(len(rows[0]), 1) if rows else 1
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


class Dialect:
    """Statements for one kind of database."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.postgres = connection.vendor == "postgresql"

    # Statements. Names are those of the schema; whatever a host gives is a parameter.

    def get(self, table: Table, keys: Sequence[Row], lock: Lock | None) -> Statement:
        """Rows by primary key, in its order: that is the order of their locks."""
        where = self._keyed(table, len(keys))
        sql = f"SELECT {columns(table)} FROM {name(table)} WHERE {where} ORDER BY {key(table)}"
        # SQLite has one writer, who has locked everything.
        return sql + (LOCKS[lock] if lock and self.postgres else ""), self._flat(keys)

    def scan(self, scan: Scan) -> Statement:
        """Rows in the order of an index."""
        equal = scan.columns[: len(scan.equals)]
        conditions = [f"{quoted(column)} = %s" for column in equal]
        values = list(scan.equals)
        if scan.after is not None:
            conditions.append(f"{quoted(scan.columns[len(equal)])} > %s")
            values.append(scan.after)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(map(quoted, scan.columns))
        sql = f"SELECT {columns(scan.table)} FROM {name(scan.table)}{where} ORDER BY {order}"
        return f"{sql} LIMIT %s", self._flat([(*values, scan.limit)])

    def search(self, table: Table, agency: str, page: PageSpec) -> Statement:
        """A page of resellers."""
        where, values = self._filter(agency, page.filter)
        column = quoted(page.column)
        if page.after is not None:
            where += f' AND ({column}, "id") {"<" if page.descending else ">"} (%s, %s)'
            values.extend(page.after)
        sql = f"SELECT {columns(table)} FROM {name(table)} WHERE {where}"
        way = "DESC" if page.descending else "ASC"
        order = f'{column} {way}, "id" {way}'
        return f"{sql} ORDER BY {order} LIMIT %s", self._flat([(*values, page.limit)])

    def count(self, table: Table, agency: str, filter: Filter, cap: int) -> Statement:
        """How many resellers a filter finds, counted up to a cap."""
        where, values = self._filter(agency, filter)
        found = f"SELECT 1 FROM {name(table)} WHERE {where} LIMIT %s"
        return f"SELECT count(*) FROM ({found}) AS found", self._flat([(*values, cap)])

    def _filter(self, agency: str, filter: Filter) -> tuple[str, list[Value]]:
        conditions = ['"agency" = %s']
        values: list[Value] = [agency]
        for term in filter.terms:
            conditions.append("\"search_text\" LIKE %s ESCAPE '!'")
            values.append(f"%{escaped(term)}%")
        for condition, value in (
            ('"status" = %s', filter.status),
            ('"partner_type" = %s', filter.partner_type),
            ('"created_at" >= %s', filter.joined_from),
            ('"created_at" < %s', filter.joined_before),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        return " AND ".join(conditions), values

    def insert(self, table: Table, rows: Sequence[Row]) -> Statement:
        """Inserts rows that are in nobody's way, and answers with their keys."""
        return (
            f"{self._insert(table, rows)} ON CONFLICT DO NOTHING RETURNING {key(table)}",
            self._flat(rows),
        )

    def put(self, table: Table, rows: Sequence[Row]) -> Statement:
        """Inserts rows, or replaces those of the same key."""
        others = (column.name for column in table.columns if column.name not in table.key)
        changes = ", ".join(f"{quoted(c)} = excluded.{quoted(c)}" for c in others)
        conflict = f"ON CONFLICT ({key(table)}) DO UPDATE SET {changes}"
        return f"{self._insert(table, rows)} {conflict}", self._flat(rows)

    def add(self, table: Table, rows: Sequence[Row]) -> Statement:
        """Adds the last column to what is there, and answers with the sums."""
        column = quoted(table.columns[-1].name)
        change = f"{column} = {name(table)}.{column} + excluded.{column}"
        conflict = f"ON CONFLICT ({key(table)}) DO UPDATE SET {change} RETURNING {column}"
        return f"{self._insert(table, rows)} {conflict}", self._flat(rows)

    def update(self, table: Table, row: Row) -> Statement:
        """Replaces one row."""
        by_name = {column.name: value for column, value in zip(table.columns, row, strict=True)}
        key_values = [by_name.pop(column) for column in table.key]
        changes = ", ".join(f"{quoted(column)} = %s" for column in by_name)
        values = [*by_name.values(), *key_values]
        return f"UPDATE {name(table)} SET {changes} WHERE {equals(table)}", self._flat([values])

    def delete(self, table: Table, keys: Sequence[Row]) -> Statement:
        """Removes rows by primary key."""
        where = self._keyed(table, len(keys))
        return f"DELETE FROM {name(table)} WHERE {where}", self._flat(keys)

    # Values

    def row(self, table: Table, row: Sequence[object]) -> Row:
        """A row as the database gave it, in the types of the contract."""
        return tuple(
            _value(column.kind, value) for column, value in zip(table.columns, row, strict=True)
        )

    def key_of(self, table: Table, row: Sequence[object]) -> Row:
        """A key as the database gave it."""
        kinds = {column.name: column.kind for column in table.columns}
        return tuple(
            _value(kinds[column], value) for column, value in zip(table.key, row, strict=True)
        )

    def _flat(self, rows: Sequence[Sequence[Value]]) -> list[Value]:
        values = [value for row in rows for value in row]
        if self.postgres:
            return values
        # Django keeps a UUID in SQLite as 32 hexadecimal digits, which have the same order.
        return [value.hex if isinstance(value, UUID) else value for value in values]

    # Parts

    def _insert(self, table: Table, rows: Sequence[Row]) -> str:
        row = f"({', '.join(['%s'] * len(table.columns))})"
        values = ", ".join([row] * len(rows))
        return f"INSERT INTO {name(table)} ({columns(table)}) VALUES {values}"

    def _keyed(self, table: Table, count: int) -> str:
        """The condition for so many primary keys."""
        if count == 1:
            return equals(table)
        kinds = {column.name: column.kind for column in table.columns}
        plain = ["%s"] * len(table.key)
        # PostgreSQL would take the values for text, were their types not said once.
        typed = [f"CAST(%s AS {TYPES[kinds[column]]})" for column in table.key]
        first = typed if self.postgres else plain
        values = ", ".join(f"({', '.join(row)})" for row in [first, *[plain] * (count - 1)])
        return f"({key(table)}) IN (VALUES {values})"


def _value(kind: Kind, value: object) -> Value:
    if kind is Kind.UUID and isinstance(value, str):
        return UUID(hex=value)
    if kind is Kind.BYTES and isinstance(value, memoryview):
        return bytes(value)
    return value  # type: ignore[return-value]


def quoted(column: str) -> str:
    """A name of the schema; none of them holds a quotation mark."""
    return f'"{column}"'


def name(table: Table) -> str:
    """The table's name in the database."""
    return quoted(f"partnerkit_{table.name}")


def columns(table: Table) -> str:
    """All columns, in their order."""
    return ", ".join(quoted(column.name) for column in table.columns)


def key(table: Table) -> str:
    """The columns of the primary key."""
    return ", ".join(map(quoted, table.key))


def equals(table: Table) -> str:
    """The condition for one primary key."""
    return " AND ".join(f"{quoted(column)} = %s" for column in table.key)


def escaped(term: str) -> str:
    """A term in which LIKE finds no wildcard."""
    return term.replace("!", "!!").replace("%", "!%").replace("_", "!_")
