"""Models and migrations say what the schema says."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

import partnerkit
from partnerkit.django import DjangoStorage
from partnerkit.django.models import MODELS

from forms import draft


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
    call_command("migrate", "partnerkit", "0001", database=alias, verbosity=0)
    # A date, as the period was told of then; and nothing is used of it.
    with connections[alias].cursor() as cursor:
        cursor.execute("UPDATE partnerkit_meters SET period = 20513, period_used = 0")
    call_command("migrate", "partnerkit", database=alias, verbosity=0)
    assert agency.reseller(acme.id) == acme
    denied = agency.consume(acme.id, "messages", 3, "c-2")
    assert (denied.granted, denied.used) == (False, 8)
    granted = agency.consume(acme.id, "messages", 2, "c-3")
    assert (granted.granted, granted.used) == (True, 10)


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
