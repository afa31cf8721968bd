"""What a database says when something is in the way, in the contract's words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError
from django.db.utils import DataError, Error

from ..errors import AbortedError

P = ParamSpec("P")
T = TypeVar("T")

# serialization_failure, deadlock_detected, lock_not_available
CONCURRENT = {"40001", "40P01", "55P03"}
OUT_OF_RANGE = "22003"
SHUTDOWN = {"57P01", "57P02", "57P03"}


def sqlstate(error: Error) -> str | None:
    """PostgreSQL's own code, whichever driver it came through."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def is_concurrent(error: Error) -> bool:
    """Whether a concurrent transaction was in the way."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        # The low byte is the code proper, SQLITE_BUSY_SNAPSHOT and the like included.
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return sqlstate(error) in CONCURRENT


def is_overflow(error: Error) -> bool:
    """Whether a number has left the range of its column."""
    return isinstance(error, DataError) and sqlstate(error) == OUT_OF_RANGE


def lost_connection(error: Error) -> bool:
    """Whether the connection broke, so that no answer came."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    if isinstance(error.__cause__, sqlite3.Error):
        return False
    state = sqlstate(error)
    return state is None or state.startswith("08") or state in SHUTDOWN


def concurrent_is_aborted(method: Callable[P, T]) -> Callable[P, T]:
    """Raises AbortedError for what a concurrent transaction causes."""

    @wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except Error as error:
            if is_concurrent(error):
                raise AbortedError("a concurrent transaction was in the way") from error
            raise

    return wrapper
