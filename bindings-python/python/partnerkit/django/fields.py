"""The one column type that Django does not have."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class CodePointTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is compared by code points, so that every database has the same order.

    A field's `db_collation` would be the same for all databases. But SQLite, which compares by
    code points anyway, does not know PostgreSQL's "C".
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters
