"""Rows in Django's database, where the library's own operations do not reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from django.db import connections, transaction

import partnerkit
from partnerkit import Agency, Platform, Reseller
from partnerkit.django import DjangoStorage
from partnerkit.django.rows import DjangoTransaction, picking
from partnerkit.storage import Bound, Filter, Lock, Mode, PageSpec, Row, Scan, Table, Value

from forms import draft
from hosting import POSTGRES_URL, together

TABLES = {table.name: table for table in partnerkit.schema()}
TOTALS: Table = TABLES["totals"]
EVENTS: Table = TABLES["events"]
PENDING: Table = TABLES["pending_changes"]
LABELS: Table = TABLES["labels"]
RESELLERS: Table = TABLES["resellers"]
MOST = 2**63 - 1


def row(table: Table, **values: Value) -> Row:
    return tuple(values.get(column.name) for column in table.columns)


def key_of(table: Table, row: Row) -> Row:
    return picking(table, table.key)(row)


def pending_change(at: int, id: UUID) -> Row:
    place: dict[str, Value] = {"agency": "northwind", "at": at, "version": 1, "id": id}
    return row(PENDING, **place, kind="kind", fields="[]")


def pending_changes(ats: Sequence[int]) -> list[Row]:
    """Two at each instant."""
    return [pending_change(at, UUID(int=id)) for at in ats for id in (1, 2)]


def begin(alias: str, mode: Mode = Mode.JOIN) -> DjangoTransaction:
    return DjangoStorage(using=alias).begin("northwind", mode)


def total(alias: str, name: str) -> object:
    rows = begin(alias, Mode.READ)
    (found,) = rows.get(TOTALS, TOTALS.key, [("northwind", name)], None)
    rows.commit()
    return found and found[-1]


@pytest.mark.parametrize(("first", "second"), [(MOST, 1), (-MOST, -2), (1, MOST)])
def test_a_sum_beyond_64_bits_is_aborted(alias: str, first: int, second: int) -> None:
    rows = begin(alias)
    rows.add(TOTALS, [("northwind", "messages", first)])
    rows.commit()
    rows = begin(alias)
    with pytest.raises(partnerkit.AbortedError):
        rows.add(TOTALS, [("northwind", "messages", second)])
    rows.rollback()
    assert total(alias, "messages") == first
    rows = begin(alias)
    rows.add(TOTALS, [("northwind", "messages", -first)])
    rows.commit()
    assert total(alias, "messages") == 0


def test_the_smallest_number_is_a_key_like_any_other(alias: str) -> None:
    ids = [UUID(int=n) for n in (0, 1, 2**128 - 1)]
    stored = [pending_change(at, id) for at in (-MOST - 1, 0) for id in ids]
    keys = [key_of(PENDING, row) for row in stored]
    rows = begin(alias)
    rows.put(PENDING, stored)
    assert rows.get(PENDING, PENDING.key, keys[::-1], Lock.UPDATE) == stored[::-1]
    rows.delete(PENDING, keys[:5])
    assert rows.get(PENDING, PENDING.key, keys, None) == [None] * 5 + stored[5:]
    rows.rollback()


def test_of_two_rows_with_one_key_the_first_is_inserted(alias: str) -> None:
    def event(id: str, quantity: int) -> tuple[str | int | UUID, ...]:
        return ("northwind", id, UUID(int=1), "messages", quantity, 0, 0)

    rows = begin(alias)
    given = [event("a", 1), event("b", 2), event("a", 3)]
    assert rows.insert(EVENTS, given) == [True, True, False]
    assert rows.get(EVENTS, EVENTS.key, [("northwind", "a")], None) == [given[0]]
    assert rows.insert(EVENTS, []) == []
    assert rows.get(EVENTS, EVENTS.key, [], None) == []
    rows.rollback()


def test_a_term_with_a_character_that_no_text_has(alias: str) -> None:
    rows = begin(alias, Mode.READ)
    filter = Filter("northwind", ("a\0",), ())
    assert rows.count(filter, 10) == 0
    assert rows.page(PageSpec(filter, "created_at", True, None, 10)) == []
    rows.commit()


def scanned(alias: str, scan: Scan) -> list[Row]:
    rows = begin(alias, Mode.READ)
    found = rows.scan(scan)
    rows.commit()
    return found


BEGIN, END = Bound((2, 1, UUID(int=1)), False), Bound((3, 1, UUID(int=1)), True)


@pytest.mark.parametrize(
    ("range", "found"),
    [
        ((None, None), slice(None)),
        ((BEGIN, None), slice(3, None)),
        ((replace(BEGIN, inclusive=True), None), slice(2, None)),
        ((None, END), slice(5)),
        ((None, replace(END, inclusive=False)), slice(4)),
        ((BEGIN, END), slice(3, 5)),
        ((Bound((2,), False), Bound((3,), True)), slice(4, 6)),
    ],
)
def test_a_range_is_compared_as_a_whole(
    alias: str, range: tuple[Bound | None, Bound | None], found: slice
) -> None:
    stored = pending_changes([1, 2, 3, 4])
    rows = begin(alias)
    rows.put(PENDING, stored)
    rows.commit()
    scan = Scan(PENDING, PENDING.key, ("northwind",), range, False, 10, None)
    assert scanned(alias, scan) == stored[found]
    assert scanned(alias, replace(scan, limit=1)) == stored[found][:1]
    assert scanned(alias, replace(scan, reverse=True)) == stored[found][::-1]
    assert scanned(alias, replace(scan, equals=("contoso",))) == []
    rows = begin(alias)
    assert rows.remove(scan) == len(stored[found])
    kept = [row for row in stored if row not in stored[found]]
    assert rows.scan(replace(scan, range=(None, None))) == kept
    rows.rollback()


def test_a_null_equals_null_and_is_in_no_range_that_has_an_end(alias: str) -> None:
    held = row(LABELS, label="acme", agency="northwind", reseller=UUID(int=1))
    free = row(LABELS, label="globex", agency="northwind", quarantined_until=5)
    rows = begin(alias)
    rows.put(LABELS, [held, free])
    rows.commit()
    least = Bound((-MOST - 1,), True)
    scan = Scan(LABELS, ("quarantined_until",), (), (None, None), False, 10, None)
    assert scanned(alias, replace(scan, equals=(None,))) == [held]
    assert scanned(alias, replace(scan, equals=(5,))) == [free]
    assert scanned(alias, replace(scan, range=(least, None))) == [free]
    assert scanned(alias, replace(scan, range=(None, Bound((MOST,), True)))) == [free]


def test_rows_by_the_values_of_a_unique_index(alias: str) -> None:
    agency = Platform.with_storage(DjangoStorage(using=alias)).create_agency("northwind")
    for label in ("acme", "initech"):
        agency.create_reseller(**draft(label, external_id=f"{label}-1"))
    rows = begin(alias)
    emails: list[Row] = [
        ("northwind", f"owner@{n}.example") for n in ("initech", "none", "acme")
    ]
    found = rows.get(RESELLERS, ("agency", "email_key"), emails, Lock.UPDATE)
    login_domain = picking(RESELLERS, ["login_domain"])
    assert [row and login_domain(row) for row in found] == [("initech",), None, ("acme",)]
    by_id = rows.get(RESELLERS, ("agency", "external_id"), [("northwind", "acme-1")], None)
    assert by_id == found[2:]
    rows.rollback()


def test_a_removal_passes_over_what_others_hold(postgres_alias: str) -> None:
    stored = pending_changes([1, 2])
    rows = begin(postgres_alias)
    rows.put(PENDING, stored)
    rows.commit()
    everything = Scan(PENDING, PENDING.key, ("northwind",), (None, None), False, 10, None)

    def remove(_: int) -> int:
        rows = begin(postgres_alias)
        removed = rows.remove(everything)
        rows.commit()
        return removed

    rows = begin(postgres_alias)
    rows.get(PENDING, PENDING.key, [key_of(PENDING, stored[1])], Lock.UPDATE)
    assert together(1, remove) == [3]
    rows.commit()
    assert scanned(postgres_alias, everything) == [stored[1]]
    assert together(1, remove) == [1]


def test_no_more_is_removed_than_was_asked_for(postgres_alias: str) -> None:
    """Whatever plan the server takes: here one that asks for the rows to remove again and again."""
    stored = pending_changes(range(50))
    rows = begin(postgres_alias)
    rows.put(PENDING, stored)
    with connections[postgres_alias].cursor() as cursor:
        for way in ("hashagg", "hashjoin", "material", "memoize", "mergejoin", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    scan = Scan(PENDING, PENDING.key, ("northwind",), (None, None), False, 3, None)
    assert rows.remove(scan) == 3
    assert rows.scan(replace(scan, limit=100)) == stored[3:]
    rows.rollback()


def test_a_hosts_stricter_isolation_gives_aborted(
    postgres_alias: str,
) -> None:
    agency = Platform.with_storage(DjangoStorage(using=postgres_alias)).create_agency(
        "northwind"
    )
    acme = agency.create_reseller(**draft("acme"))
    with transaction.atomic(using=postgres_alias):
        with connections[postgres_alias].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert agency.reseller(acme.id).version == 1
        together(1, lambda _: agency.deactivate(acme.id))
        with pytest.raises(partnerkit.AbortedError):
            agency.update_reseller(acme.id, name="Another")
        assert agency.reseller(acme.id).version == 1, "the block goes on"
    assert agency.reseller(acme.id).version == 2


def end_connection(alias: str) -> None:
    """The server hangs up on this thread."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    assert POSTGRES_URL
    with psycopg.connect(POSTGRES_URL, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


@pytest.fixture
def postgres_agency(postgres_alias: str) -> Agency:
    return Platform.with_storage(DjangoStorage(using=postgres_alias)).create_agency("northwind")


def test_a_connection_that_is_lost_at_commit(
    postgres_alias: str, postgres_agency: Agency
) -> None:
    rows = begin(postgres_alias)
    rows.add(TOTALS, [("northwind", "messages", 1)])
    end_connection(postgres_alias)
    with pytest.raises(partnerkit.OutcomeUnknownError):
        rows.commit()
    assert total(postgres_alias, "messages") is None
    assert postgres_agency.overview().messages == 0


def test_a_connection_that_is_lost_between_calls(
    postgres_alias: str, postgres_agency: Agency
) -> None:
    acme: Reseller = postgres_agency.create_reseller(**draft("acme"))
    end_connection(postgres_alias)
    with pytest.raises(partnerkit.StorageError):
        postgres_agency.reseller(acme.id)
    assert postgres_agency.reseller(acme.id) == acme, "the next call has a new one"
