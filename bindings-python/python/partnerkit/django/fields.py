"""The one column type that Django does not have."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class CodePointTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is compared by code points, so that every database has the same order.

    A field of the model could name one collation for all databases only, and SQLite, which
    compares so by itself, does not know PostgreSQL's "C".
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters
