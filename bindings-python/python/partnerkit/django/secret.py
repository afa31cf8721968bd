"""The platform's secret, which `migrate` makes, so that no request has to.

Django's tests empty every table after a `TransactionTestCase`. An open platform continues to
use the secret that it knows, so that secret is stored again, for other platforms to use it,
too.
"""

from __future__ import annotations

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from .. import Platform
from ..errors import ConfigurationError
from ..storage import Mode
from .models import MODELS
from .rows import KNOWN_SECRETS, SECRETS, place
from .storage import DjangoStorage


def keep_secret(using: str, **_: object) -> None:
    """Makes or restores the secret after `migrate` and after `flush`."""
    connection = connections[using]
    storage = DjangoStorage(using=using)
    if not has_tables(connection, storage):
        return
    known = KNOWN_SECRETS.get(place(connection))
    if known:
        rows = storage.begin("_platform", Mode.JOIN)
        rows.insert(SECRETS, known)
        rows.commit()
        return
    Platform.with_storage(storage).prepare()


def has_tables(connection: BaseDatabaseWrapper, storage: DjangoStorage) -> bool:
    """Whether this database has the app's tables in the present version."""
    model = MODELS[SECRETS.name]
    if connection.vendor not in ("postgresql", "sqlite"):
        return False
    if not router.allow_migrate_model(connection.alias, model):
        return False
    if model._meta.db_table not in connection.introspection.table_names():
        return False
    try:
        storage.schema_version()
    except ConfigurationError:
        return False
    return True
