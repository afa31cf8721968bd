"""Rows in Django's database, where the library's own operations do not reach."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from django.db import connections, transaction

import partnerkit
from partnerkit import Agency, Platform, Reseller
from partnerkit.django import DjangoStorage
from partnerkit.django.rows import DjangoTransaction
from partnerkit.storage import Filter, Lock, Mode, PageSpec, Row, Table, Value

from forms import draft
from hosting import POSTGRES_URL, together

TABLES = {table.name: table for table in partnerkit.schema()}
TOTALS: Table = TABLES["totals"]
EVENTS: Table = TABLES["events"]
MOST = 2**63 - 1


def begin(alias: str, mode: Mode = Mode.JOIN) -> DjangoTransaction:
    return DjangoStorage(using=alias).begin("northwind", mode)


def total(alias: str, name: str) -> object:
    rows = begin(alias, Mode.READ)
    (found,) = rows.get(TOTALS, [("northwind", name)], None)
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
    pending = TABLES["pending_changes"]
    ids = [UUID(int=n) for n in (0, 1, 2**128 - 1)]
    rest: dict[str, Value] = {"kind": "kind", "reseller": None, "actor": None, "fields": "[]"}
    keys: list[Row] = [("northwind", at, 1, id) for at in (-MOST - 1, 0) for id in ids]
    named = [dict(zip(pending.key, key, strict=True)) | rest for key in keys]
    stored = [tuple(row[column.name] for column in pending.columns) for row in named]
    rows = begin(alias)
    rows.put(pending, stored)
    assert rows.get(pending, keys[::-1], Lock.UPDATE) == stored[::-1]
    rows.delete(pending, keys[:5])
    assert rows.get(pending, keys, None) == [None] * 5 + stored[5:]
    rows.rollback()


def test_of_two_rows_with_one_key_the_first_is_inserted(alias: str) -> None:
    def event(id: str, quantity: int) -> tuple[str | int | UUID, ...]:
        return ("northwind", id, UUID(int=1), "messages", quantity, 0)

    rows = begin(alias)
    given = [event("a", 1), event("b", 2), event("a", 3)]
    assert rows.insert(EVENTS, given) == [True, True, False]
    assert rows.get(EVENTS, [("northwind", "a")], None) == [given[0]]
    assert rows.insert(EVENTS, []) == []
    assert rows.get(EVENTS, [], None) == []
    rows.rollback()


def test_a_term_with_a_character_that_no_text_has(alias: str) -> None:
    rows = begin(alias, Mode.READ)
    filter = Filter(("a\0",), None, None, None, None)
    assert rows.count("northwind", filter, 10) == 0
    assert rows.search("northwind", PageSpec(filter, "created_at", True, None, 10)) == []
    rows.commit()


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
