"""Databases and platforms for the tests."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

import partnerkit
from partnerkit.django import DjangoStorage

import hosting
from forms import draft

FOLDER = tempfile.TemporaryDirectory(prefix="partnerkit-python-")
POSTGRES_DATABASE = f"partnerkit_python_{os.getpid()}"

# Results of the vectors, for tests/parity: which test's, and the name of the file.
PARITY = Path(__file__).parents[2] / "target" / "parity"
PARITY_TESTS = {
    "tests/test_vectors.py::test_vector": "python",
    "tests/test_asynchronous.py::test_vector": "python-async",
}
HELD: dict[str, dict[str, bool]] = {}


def databases() -> dict[str, dict[str, object]]:
    def file(name: str, **options: str) -> dict[str, object]:
        return hosting.sqlite(str(Path(FOLDER.name, name)), **options)

    found = {
        "default": hosting.sqlite(":memory:"),
        "empty": file("empty.sqlite3"),
        "sqlite": file("wal.sqlite3"),
        "sqlite_immediate": file("immediate.sqlite3", transaction_mode="IMMEDIATE"),
        "sqlite_rollback_journal": file("journal.sqlite3", journal_mode="DELETE"),
        "sqlite_persistent_journal": file("persist.sqlite3", journal_mode="PERSIST"),
    }
    if hosting.POSTGRES_URL:
        found["postgres"] = hosting.postgres(hosting.POSTGRES_URL, POSTGRES_DATABASE)
    return found


def pytest_configure() -> None:
    hosting.start(databases())


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    test, _, case = report.nodeid.partition("[")
    if test in PARITY_TESTS and (report.when == "call" or report.failed):
        held = HELD.setdefault(PARITY_TESTS[test], {})
        held[case.removesuffix("]")] = report.passed


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        return  # a worker of pytest-xdist, whose reports reach the main process
    for language, held in HELD.items():
        PARITY.mkdir(parents=True, exist_ok=True)
        Path(PARITY, f"{language}.json").write_text(
            json.dumps(held, indent=1), encoding="utf-8"
        )


def require_postgres() -> None:
    """Skips without a server; a machine that is to run everything fails instead."""
    if not hosting.POSTGRES_URL:
        reason = "PARTNERKIT_TEST_POSTGRES_URL names no PostgreSQL server"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def migrated() -> Iterator[set[str]]:
    """The aliases whose tables are there; the server's database goes away at the end."""
    done: set[str] = set()
    yield done
    connections.close_all()
    if "postgres" in done:
        assert hosting.POSTGRES_URL
        with psycopg.connect(hosting.POSTGRES_URL, autocommit=True) as server:
            server.execute(f"DROP DATABASE {POSTGRES_DATABASE} WITH (FORCE)")


def migrate(alias: str, migrated: set[str]) -> str:
    if alias == "postgres":
        require_postgres()
    if alias not in migrated:
        if alias == "postgres":
            assert hosting.POSTGRES_URL
            with psycopg.connect(hosting.POSTGRES_URL, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {POSTGRES_DATABASE}")
        migrated.add(alias)
        call_command("migrate", database=alias, verbosity=0)
    empty(alias)
    return alias


def empty(alias: str) -> None:
    """Removes every row of the library's tables."""
    with hosting.connection(alias).cursor() as cursor:
        for table in partnerkit.schema():
            cursor.execute(f"DELETE FROM partnerkit_{table.name}")


@pytest.fixture(params=["sqlite", "postgres"])
def alias(request: pytest.FixtureRequest, migrated: set[str]) -> str:
    """An empty database of each kind."""
    return migrate(request.param, migrated)


@pytest.fixture(params=["sqlite"])
def sqlite_alias(request: pytest.FixtureRequest, migrated: set[str]) -> str:
    """An empty SQLite database; a test may ask for other ones."""
    return migrate(request.param, migrated)


@pytest.fixture
def postgres_alias(migrated: set[str]) -> str:
    """An empty PostgreSQL database."""
    return migrate("postgres", migrated)


@pytest.fixture
def platform(alias: str) -> partnerkit.Platform:
    """A platform in the Django project's database."""
    return partnerkit.Platform.with_storage(
        DjangoStorage(using=alias), login_base="partner.example.com"
    )


@pytest.fixture
def agency(platform: partnerkit.Platform) -> partnerkit.Agency:
    return platform.create_agency("northwind")


@pytest.fixture
def acme(agency: partnerkit.Agency) -> partnerkit.Reseller:
    return agency.create_reseller(**draft("acme"))
