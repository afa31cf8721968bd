"""A Django project to test in: one database of each kind, in this process and its children."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")

POSTGRES_URL = os.environ.get("PARTNERKIT_TEST_POSTGRES_URL")


def sqlite(
    path: str, journal_mode: str = "WAL", transaction_mode: str | None = None
) -> dict[str, Any]:
    """The settings of a database in a file."""
    options = {"init_command": f"PRAGMA journal_mode={journal_mode}"}
    if transaction_mode:
        options["transaction_mode"] = transaction_mode
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": options}


def postgres(url: str, database: str) -> dict[str, Any]:
    """The settings of a database on the server for tests."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # What waits for ever in a test is a defect, and is to be seen as one.
        "OPTIONS": {"options": "-c statement_timeout=30s"},
    }


def start(databases: dict[str, Any]) -> None:
    """Starts the project."""
    settings.configure(DATABASES=databases, INSTALLED_APPS=["partnerkit.django"], USE_TZ=True)
    django.setup()


def connection(alias: str) -> BaseDatabaseWrapper:
    """This thread's connection."""
    return connections[alias]


def together(count: int, work: Callable[[int], T]) -> list[T]:
    """Runs threads that start together, each with its own connections."""
    barrier = Barrier(count)

    def run(number: int) -> T:
        barrier.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))
