"""The databases' errors in the terms of the storage contract."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db.utils import DataError, Error

from ..errors import AbortedError

P = ParamSpec("P")
T = TypeVar("T")

# serialization_failure, deadlock_detected, lock_not_available
LOCK_TIMED_OUT = "55P03"
CONCURRENT = {"40001", "40P01", LOCK_TIMED_OUT}
OUT_OF_RANGE = "22003"
# The errors of COMMIT that mean that nothing was committed: the classes transaction rollback
# and integrity constraint violation, a transaction that had failed before, and a lock timeout.
ROLLED_BACK_CLASSES = {"23", "40"}
ROLLED_BACK = {"25P02", LOCK_TIMED_OUT}
# statement_completion_unknown, which is in one of the classes
UNKNOWN = "40003"


def sqlstate(error: Error) -> str | None:
    """PostgreSQL's error code, from either driver."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)


def is_concurrent(error: Error) -> bool:
    """Whether a concurrent transaction caused the error."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        # The low byte is the primary code, also of extended codes such as SQLITE_BUSY_SNAPSHOT.
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return sqlstate(error) in CONCURRENT


def is_lock_timeout(error: Error) -> bool:
    """Whether the server gave up waiting for a lock."""
    return sqlstate(error) == LOCK_TIMED_OUT


def is_overflow(error: Error) -> bool:
    """Whether a number is out of the range of its column."""
    return isinstance(error, DataError) and sqlstate(error) == OUT_OF_RANGE


def is_rolled_back(error: Error) -> bool:
    """Whether this error of COMMIT means that nothing was committed. Only few do: others, such
    as a lost connection, may come after everything was committed."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return is_concurrent(error) or code == sqlite3.SQLITE_CONSTRAINT
    state = sqlstate(error)
    if state is None or state == UNKNOWN:
        return False
    return state in ROLLED_BACK or state[:2] in ROLLED_BACK_CLASSES


def concurrent_is_aborted(method: Callable[P, T]) -> Callable[P, T]:
    """Raises AbortedError for errors that a concurrent transaction causes."""

    @wraps(method)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except Error as error:
            if is_concurrent(error):
                raise AbortedError("a concurrent transaction was in the way") from error
            raise

    return wrapper
