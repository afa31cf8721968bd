"""Models and migrations say what the schema says."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

import partnerkit
from partnerkit.django import DjangoStorage
from partnerkit.django.models import MODELS

from forms import draft


def rollups() -> dict[str, list[list[str]]]:
    """The rows of each table, without the agency: see the file."""
    tables: dict[str, list[list[str]]] = {}
    file = Path(__file__).parents[2] / "tests" / "data" / "rollups.tsv"
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            table, *row = line.split("\t")
            tables.setdefault(table, []).append(row)
    return tables


ROLLUPS = rollups()
ROLLUP = "day, reseller, metric, sum, events, slots"


def test_the_models_are_those_of_the_migrations() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_migration_has_the_number_of_the_schemas_version() -> None:
    loader = MigrationLoader(None)
    names = [name for app, name in loader.disk_migrations if app == "partnerkit"]
    assert max(int(name.split("_")[0]) for name in names) == partnerkit.SCHEMA_VERSION


def test_s52_a_database_of_a_newer_release_is_refused(alias: str) -> None:
    storage = DjangoStorage(using=alias)
    assert storage.schema_version() == partnerkit.SCHEMA_VERSION
    recorder = MigrationRecorder(connections[alias])
    recorder.record_applied("another_app", "0098_of_another_app")
    recorder.record_applied("partnerkit", "0099_of_a_newer_release")
    try:
        platform = partnerkit.Platform.with_storage(storage)
        for call in (platform.prepare, platform.agencies):
            with pytest.raises(partnerkit.ConfigurationError, match="99"):
                call()
    finally:
        recorder.record_unapplied("partnerkit", "0099_of_a_newer_release")
        recorder.record_unapplied("another_app", "0098_of_another_app")
    platform.create_agency("northwind")


def test_s52_a_database_of_the_first_version_is_brought_along(alias: str) -> None:
    platform = partnerkit.Platform.with_storage(DjangoStorage(using=alias))
    agency = platform.create_agency("northwind")
    acme = agency.create_reseller(**draft("acme"))
    agency.set_allowance(acme.id, "messages", 10)
    assert agency.consume(acme.id, "messages", 8, "c-1")
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT {ROLLUP} FROM partnerkit_counter_days")
        ((*counted, slots),) = cursor.fetchall()
    call_command("migrate", "partnerkit", "0001", database=alias, verbosity=0)
    with connections[alias].cursor() as cursor:
        # A date, as the period was told of then; and nothing is used of it.
        cursor.execute("UPDATE partnerkit_meters SET period = 20513, period_used = 0")
        # A rollup of one quarter-hour ended with the five fields of a gauge.
        insert(cursor, [*counted, bytes(slots) + bytes(5)])
    call_command("migrate", "partnerkit", database=alias, verbosity=0)
    assert agency.reseller(acme.id) == acme
    denied = agency.consume(acme.id, "messages", 3, "c-2")
    assert (denied.granted, denied.used) == (False, 8)
    granted = agency.consume(acme.id, "messages", 2, "c-3")
    assert (granted.granted, granted.used) == (True, 10)


def test_s52_rollups_of_the_second_version_are_unpacked(alias: str) -> None:
    call_command("migrate", "partnerkit", "0002", database=alias, verbosity=0)
    with connections[alias].cursor() as cursor:
        for row in ROLLUPS["rollups"]:
            day, reseller, metric, total, events, slots = row
            insert(
                cursor,
                [int(day), reseller, metric, int(total), int(events), bytes.fromhex(slots)],
            )
    call_command("migrate", "partnerkit", database=alias, verbosity=0)
    with connections[alias].cursor() as cursor:
        for table in ("counter_days", "gauge_days", "agency_slots"):
            cursor.execute(f"SELECT * FROM partnerkit_{table}")
            found = [[text(value) for value in row] for row in cursor.fetchall()]
            assert sorted(found) == sorted(["northwind", *row] for row in ROLLUPS[table])


def insert(cursor: CursorWrapper, rollup: list[object]) -> None:
    columns = f"INSERT INTO partnerkit_rollups (agency, {ROLLUP})"
    cursor.execute(f"{columns} VALUES ('northwind', %s, %s, %s, %s, %s, %s)", rollup)


def text(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.hex if isinstance(value, UUID) else str(value)


def test_the_missing_migration_is_named(alias: str) -> None:
    recorder = MigrationRecorder(connections[alias])
    (name,) = [name for app, name in recorder.applied_migrations() if app == "partnerkit"][-1:]
    platform = partnerkit.Platform.with_storage(DjangoStorage(using=alias))
    recorder.record_unapplied("partnerkit", name)
    try:
        with pytest.raises(
            partnerkit.ConfigurationError, match=f"migrate .*{alias}"
        ) as missing:
            platform.agencies()
        assert isinstance(missing.value.__cause__, partnerkit.ConfigurationError)
        call_command("flush", database=alias, interactive=False, verbosity=0)
    finally:
        recorder.record_applied("partnerkit", name)
    assert platform.agencies() == []


def test_a_database_without_tables_names_the_migration() -> None:
    platform = partnerkit.Platform.with_storage(DjangoStorage(using="empty"))
    with pytest.raises(partnerkit.ConfigurationError, match="migrate partnerkit"):
        platform.agencies()


def test_the_checks_of_django_find_nothing() -> None:
    call_command("check", fail_level="INFO", databases=["default"])


@pytest.mark.parametrize("table", partnerkit.schema(), ids=lambda table: table.name)
def test_a_table_has_the_columns_of_the_schema(alias: str, table: object) -> None:
    assert isinstance(table, partnerkit.storage.Table)
    connection = connections[alias]
    with connection.cursor() as cursor:
        name = f"partnerkit_{table.name}"
        described = connection.introspection.get_table_description(cursor, name)
        constraints = connection.introspection.get_constraints(cursor, name).values()
    found = {(column.name, bool(column.null_ok)) for column in described}
    assert found == {(column.name, column.nullable) for column in table.columns}
    assert len(described) == len(table.columns)
    keys = [tuple(c["columns"]) for c in constraints if c["primary_key"]]
    assert keys == [table.key]
    indexes = {(tuple(c["columns"]), bool(c["unique"])) for c in constraints}
    assert {(index.columns, index.unique) for index in table.indexes} <= indexes
    assert not any(c["foreign_key"] for c in constraints)
    assert MODELS[table.name]._meta.db_table == name


def test_text_is_compared_by_code_points(alias: str) -> None:
    secrets = MODELS["totals"].objects.using(alias)
    # Some of them look alike on purpose.
    texts = ["Z", "a", "é", "z", "𝒵", "\uffff", "_", "A", "ａ", "-b", "b"]  # noqa: RUF001
    for text in texts:
        secrets.create(agency="northwind", name=text, value=0)
    stored = list(secrets.order_by("name").values_list("name", flat=True))
    assert stored == sorted(texts)
