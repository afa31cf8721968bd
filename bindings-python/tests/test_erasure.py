"""S25: what was deleted is gone, from the rows of a Django project's database and its files."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

import partnerkit
from partnerkit import Agency, Erasure, Platform, UsageEvent
from partnerkit.django import DjangoStorage

import hosting
from conftest import FOLDER, migrate
from forms import PASSWORD, draft, draft_with_password

# Texts that nobody else has, one for each field.
TRACES = [
    "zzyzx trading",
    "zzyzx-owner",
    "4930123123",
    "zzyzx-site",
    "zzyzx-crm",
    "zzyzx-note",
    "zzyzx contact",
    "zzyzx-contact",
    "zzyzx-reason",
]

FILES = ["sqlite", "sqlite_immediate", "sqlite_rollback_journal", "sqlite_persistent_journal"]


def live(platform: Platform, agency: Agency) -> partnerkit.Reseller:
    """A reseller that leaves as many traces as one can, among others."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    agency.create_resellers([draft(f"before{letter}") for letter in letters])
    phone = "+4930123123"
    contact = {"name": "Zzyzx Contact", "email": "zzyzx-contact@acme.example", "phone": phone}
    form = draft_with_password(
        "acme",
        name="Zzyzx Trading",
        email="zzyzx-owner@acme.example",
        phone=phone,
        contact=contact,
        website="https://zzyzx-site.example",
        external_id="zzyzx-crm",
        # Too much for one page.
        metadata={f"key {n}": "zzyzx-note " * 40 for n in range(40)},
    )
    acme = agency.create_reseller(idempotency_key="key-1", **form)
    agency.update_reseller(acme.id, metadata={"key": "zzyzx-note, too"})
    event = UsageEvent(
        id="e-1", reseller=acme.id, metric="messages", quantity=5, at=datetime.now(UTC)
    )
    assert agency.record_usage([event]).accepted == 1
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "zzyzx-owner@acme.example", PASSWORD + "?")
    agency.deactivate(acme.id, "zzyzx-reason")
    agency.create_resellers([draft(f"behind{letter}") for letter in letters])
    return acme


def traces_in_files(alias: str) -> list[str]:
    database = Path(hosting.connection(alias).settings_dict["NAME"])
    files = [
        path for path in Path(FOLDER.name).iterdir() if path.name.startswith(database.name)
    ]
    text = b"".join(path.read_bytes() for path in files).lower()
    return [trace for trace in TRACES if trace.encode() in text]


def traces_in_rows(alias: str) -> list[str]:
    with hosting.connection(alias).cursor() as cursor:
        text = ""
        for table in partnerkit.schema():
            cursor.execute(f"SELECT * FROM partnerkit_{table.name}")
            rows = cursor.fetchall()
            shown = [bytes(v) if isinstance(v, memoryview) else v for row in rows for v in row]
            text += repr(shown).lower()
    return [trace for trace in TRACES if trace in text]


def northwind(alias: str) -> tuple[Platform, Agency]:
    platform = Platform.with_storage(DjangoStorage(using=alias))
    return platform, platform.create_agency("northwind")


@pytest.fixture(params=FILES)
def in_a_file(request: pytest.FixtureRequest, migrated: set[str]) -> str:
    """An empty SQLite database with each kind of journal."""
    return migrate(request.param, migrated)


def test_s25_nothing_of_a_deleted_reseller_is_left_in_the_files(in_a_file: str) -> None:
    platform, agency = northwind(in_a_file)
    acme = live(platform, agency)
    assert set(traces_in_files(in_a_file)) == set(TRACES), "it was there"
    assert agency.delete_reseller(acme.id) is Erasure.COMPLETE
    assert traces_in_files(in_a_file) == []
    assert agency.overview().messages == 5, "history stays"


def test_s25_nor_of_a_deleted_agency(in_a_file: str) -> None:
    platform, agency = northwind(in_a_file)
    live(platform, agency)
    assert platform.delete_agency("northwind") is Erasure.COMPLETE
    assert traces_in_files(in_a_file) == []


def test_s25_no_row_of_any_table_has_a_trace(alias: str) -> None:
    platform, agency = northwind(alias)
    acme = live(platform, agency)
    assert traces_in_rows(alias) == TRACES, "it was there"
    agency.delete_reseller(acme.id)
    assert traces_in_rows(alias) == []


def test_s25_nor_after_an_agency_was_deleted(alias: str) -> None:
    platform, agency = northwind(alias)
    live(platform, agency)
    platform.delete_agency("northwind")
    assert traces_in_rows(alias) == []


@pytest.mark.parametrize(
    ("file", "in_the_way"),
    [
        ("sqlite", "BEGIN; SELECT count(*) FROM partnerkit_agencies"),
        (
            "sqlite_persistent_journal",
            "BEGIN IMMEDIATE; UPDATE partnerkit_agencies SET version = version",
        ),
    ],
)
def test_s25_somebody_in_the_way_makes_it_pending(
    file: str, in_the_way: str, migrated: set[str]
) -> None:
    alias = migrate(file, migrated)
    _, agency = northwind(alias)
    storage = DjangoStorage(using=alias)
    other = sqlite3.connect(hosting.connection(alias).settings_dict["NAME"])
    other.isolation_level = None
    agency.create_reseller(**draft("acme"))
    for statement in in_the_way.split("; "):
        other.execute(statement).fetchall()
    if file == "sqlite":
        # Something that the reader does not see.
        agency.create_reseller(**draft("globex"))
    assert storage.scrub() is False
    other.execute("ROLLBACK")
    assert storage.scrub() is True
    other.close()
