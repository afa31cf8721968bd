"""The library's tables as models, made from its schema.

They are for migrations, and for looking at the data; only the library writes the rows.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from .. import schema
from ..storage import Column, Index, Kind, Table
from .fields import CodePointTextField
from .names import LABEL, PREFIX

FIELDS: dict[Kind, type[models.Field[Any, Any]]] = {
    Kind.INTEGER: models.BigIntegerField,
    Kind.TEXT: CodePointTextField,
    Kind.BYTES: models.BinaryField,
    Kind.UUID: models.UUIDField,
}


def _field(table: Table, column: Column) -> models.Field[Any, Any]:
    alone = table.key == (column.name,)
    return FIELDS[column.kind](primary_key=alone, null=column.nullable)


def _index(table: Table, index: Index) -> models.Index | models.UniqueConstraint:
    kind = models.UniqueConstraint if index.unique else models.Index
    return kind(fields=list(index.columns), name=f"{PREFIX}{table.name}_{index.name}")


def _model(table: Table) -> type[models.Model]:
    indexes = [_index(table, index) for index in table.indexes]
    meta = {
        "app_label": LABEL,
        "db_table": PREFIX + table.name,
        # The host's user administration must not offer permissions on these rows.
        "default_permissions": (),
        "constraints": [i for i in indexes if isinstance(i, models.UniqueConstraint)],
        "indexes": [i for i in indexes if isinstance(i, models.Index)],
    }
    attributes: dict[str, object] = {"__module__": __name__, "Meta": type("Meta", (), meta)}
    if len(table.key) > 1:
        attributes["pk"] = models.CompositePrimaryKey(*table.key)
    attributes |= {column.name: _field(table, column) for column in table.columns}
    name = table.name.title().replace("_", "")
    return type(name, (models.Model,), attributes)


MODELS: dict[str, type[models.Model]] = {table.name: _model(table) for table in schema()}
