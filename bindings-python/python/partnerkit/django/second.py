"""A second connection to the host's database, for writes that must stay if the host's
transaction is rolled back.

Only the library uses it. Django does not know it, so no request is wrapped in it, no loop over
`connections` includes it, and no setting of the host decides when it commits. There is one for
each thread and database. It lives as long as the host's connection for which it was made, but
at most until the end of the request, or until the first transaction outside the host's blocks.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

from django.core.signals import request_finished, request_started
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error

from ..errors import InsideTransactionError
from .scopes import has_write_ahead_log, holds_write_lock, is_in_memory

# How long a transaction on the second connection waits for a lock that the host's own
# transaction may hold: on SQLite for any writer, on PostgreSQL for a lock on the same row.
SQLITE_PATIENCE_SECONDS = 0.2
POSTGRES_PATIENCE = "5s"


class Second:
    """A second connection, and the host's connection for which it was made."""

    def __init__(self, host: BaseDatabaseWrapper, settings: dict[str, Any]) -> None:
        self.process = os.getpid()
        self.settings = settings
        self.connection = type(host)(settings, alias=host.alias)
        # The host's connection may be dropped on another thread.
        self.connection.inc_thread_sharing()
        self.host = _reference(host.connection, self)

    def serves(self, host: BaseDatabaseWrapper, settings: dict[str, Any]) -> bool:
        """Whether it was made in this process, for this connection and with these settings."""
        here = self.process == os.getpid() and self.settings == settings
        return here and self.host is not None and self.host() is host.connection

    def release(self) -> None:
        """Ends a use of it. It is kept only if it will be closed together with the host's
        connection.
        """
        if self.host is None:
            self.close()

    def close(self) -> None:
        """Closes it, unless it belongs to the parent process."""
        if self.process != os.getpid():
            _inherited.append(self.connection)
            return
        try:
            self.connection.close()
        except Error:
            # The server has closed the connection already.
            self.connection.connection = None


def _reference(raw: Any, second: Second) -> weakref.ref[Any] | None:
    """Closes the second connection together with the host's, if that can be observed."""
    kept = weakref.ref(second)

    def host_has_closed(_: weakref.ref[Any]) -> None:
        if (found := kept()) is not None:
            found.close()

    try:
        return weakref.ref(raw, host_has_closed)
    except TypeError:  # SQLite's connections; to open one anew costs little
        return None


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.by_alias: dict[str, Second] = {}


_of_thread = _OfThread()
# Connections that the parent process still uses must not be closed in a child, not even by
# garbage collection.
_inherited: list[BaseDatabaseWrapper] = []


def settings_beside(host: BaseDatabaseWrapper) -> dict[str, Any]:
    """The host's present settings (tests rename databases), except those that we set ourselves."""
    options = {**host.settings_dict["OPTIONS"]}
    # A thread that holds a connection of the host's pool must not wait for a second one from
    # the pool.
    options.pop("pool", None)
    if host.vendor == "sqlite" and not has_write_ahead_log(host):
        options["timeout"] = SQLITE_PATIENCE_SECONDS
    ours = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": None}
    return {**host.settings_dict, **ours, "CONN_HEALTH_CHECKS": False, "OPTIONS": options}


def second(host: BaseDatabaseWrapper) -> Second:
    """This thread's second connection to the same database.

    Raises InsideTransactionError if it would have to wait for the host's connection, which
    would be a deadlock.
    """
    if host.vendor == "sqlite" and (is_in_memory(host) or holds_write_lock(host)):
        raise InsideTransactionError("the host's transaction has locked the SQLite database")
    settings = settings_beside(host)
    found = _of_thread.by_alias.get(host.alias)
    if found is None or not found.serves(host, settings):
        close(host.alias)
        found = _of_thread.by_alias[host.alias] = Second(host, settings)
    return found


def close(alias: str) -> None:
    """Closes this thread's second connection to a database, if there is one."""
    if (found := _of_thread.by_alias.pop(alias, None)) is not None:
        found.close()


def close_all(**_: object) -> None:
    """Closes this thread's second connections, so that no request uses one of another request."""
    for alias in list(_of_thread.by_alias):
        close(alias)


request_started.connect(close_all, dispatch_uid="partnerkit.second.started")
request_finished.connect(close_all, dispatch_uid="partnerkit.second.finished")
