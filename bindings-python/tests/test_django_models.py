"""Models and migrations say what the schema says."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connections

import partnerkit
from partnerkit.django.models import MODELS


def test_the_models_are_those_of_the_migrations() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


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
    found = [(column.name, bool(column.null_ok)) for column in described]
    assert found == [(column.name, column.nullable) for column in table.columns]
    keys = [tuple(c["columns"]) for c in constraints if c["primary_key"]]
    assert keys == [table.key]
    indexes = {(tuple(c["columns"]), bool(c["unique"])) for c in constraints}
    assert {(index.columns, index.unique) for index in table.indexes} <= indexes
    assert MODELS[table.name]._meta.db_table == name


def test_text_is_compared_by_code_points(alias: str) -> None:
    secrets = MODELS["totals"].objects.using(alias)
    # Some of them look alike on purpose.
    texts = ["Z", "a", "é", "z", "𝒵", "\uffff", "_", "A", "ａ", "-b", "b"]  # noqa: RUF001
    for text in texts:
        secrets.create(agency="northwind", name=text, value=0)
    stored = list(secrets.order_by("name").values_list("name", flat=True))
    assert stored == sorted(texts)
