"""All exceptions of the library, with a common base.

No message contains user input or a secret. `kind` is a stable slug, the same in every language
of the library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ._native import http_statuses
from .records import FieldError

__all__ = [
    "AbortedError",
    "AccessDeniedError",
    "BusyError",
    "Code",
    "ConfigurationError",
    "ConflictError",
    "FileError",
    "InsideTransactionError",
    "InternalError",
    "InvalidCursorError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PartnerKitError",
    "StorageError",
    "ThrottledError",
    "ValidationError",
]


@dataclass(frozen=True, slots=True)
class Code:
    """Why a field can be refused.

    Fields:
        slug: The stable slug (`taken`).
        text: The English text (`is already in use`); it may be improved.
    """

    slug: str
    """The stable slug (`taken`)."""
    text: str
    """The English text (`is already in use`); it may be improved."""


class PartnerKitError(Exception):
    """The base of the library's exceptions."""

    kind: ClassVar[str] = "internal"

    @property
    def http_status(self) -> int:
        """The HTTP status for a client: 422 for refused input, 404 for a missing record, 401
        for a refused sign-in, 503 if the same request may succeed later.

        ```python
        try:
            agency.reseller("00000000-0000-7000-8000-000000000000")
        except partnerkit.PartnerKitError as error:
            assert (error.kind, error.http_status) == ("not_found", 404)
        ```
        """
        return http_statuses().get(self.kind, 500)


class ValidationError(PartnerKitError, ValueError):
    """Input was refused. Nothing was written.

    ```python
    try:
        agency.create_reseller(**{**form, "name": "", "login_domain": "Globex"})
    except partnerkit.ValidationError as error:
        refused = [(refused.field, refused.code) for refused in error.errors]
        assert refused == [("name", "empty"), ("login_domain", "uppercase")]
    ```
    """

    kind = "validation"
    errors: list[FieldError]
    """Every refused field, in the order of the form."""

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = list(errors)


class ConflictError(PartnerKitError):
    """The expected version is stale, or an idempotency key was used for another request.

    Nothing was written.
    """

    kind = "conflict"
    current_version: int | None
    """The present version of the record; None for an idempotency key."""

    def __init__(self, message: str, current_version: int | None = None) -> None:
        super().__init__(message)
        self.current_version = current_version


class NotFoundError(PartnerKitError, LookupError):
    """There is no such record, or it belongs to another agency; these cannot be told apart."""

    kind = "not_found"


class AccessDeniedError(PartnerKitError):
    """A sign-in or an access stamp was refused; the reason is not disclosed."""

    kind = "access_denied"


class BusyError(PartnerKitError):
    """Too many passwords are being hashed; nothing was verified or counted."""

    kind = "busy"


class ThrottledError(PartnerKitError):
    """Too many failed sign-ins from one source; nothing was verified."""

    kind = "throttled"
    retry_after: float
    """Seconds to wait."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FileError(PartnerKitError):
    """A file could not be read or written; what was done before stays."""

    kind = "io"


class InvalidCursorError(PartnerKitError, ValueError):
    """A page cursor is damaged, foreign or from another query."""

    kind = "invalid_cursor"


class InsideTransactionError(PartnerKitError):
    """The call needs a transaction of its own and cannot have one here."""

    kind = "inside_transaction"


class AbortedError(PartnerKitError):
    """A concurrent transaction interfered; the same call may succeed when it is repeated."""

    kind = "aborted"


class OutcomeUnknownError(PartnerKitError):
    """The connection was lost during COMMIT: read back before trying again."""

    kind = "outcome_unknown"


class ConfigurationError(PartnerKitError):
    """The platform was opened with settings, or with tables, that cannot work."""

    kind = "configuration"


class StorageError(PartnerKitError):
    """The store failed; nothing of the call was written.

    If a storage is written in Python, `__cause__` is the exception that it raised.
    """

    kind = "storage"


class InternalError(PartnerKitError):
    """The library has a defect and gave up the call; the next call works."""

    kind = "internal"


_BY_KIND: dict[str, type[PartnerKitError]] = {
    error.kind: error
    for error in (
        AccessDeniedError,
        BusyError,
        FileError,
        InvalidCursorError,
        NotFoundError,
        InsideTransactionError,
        AbortedError,
        OutcomeUnknownError,
        ConfigurationError,
        StorageError,
        InternalError,
    )
}


def _from_core(
    kind: str,
    message: str,
    fields: list[FieldError],
    current_version: int | None,
    retry_after: float | None,
) -> PartnerKitError:
    """The exception for an error of the core."""
    if kind == ValidationError.kind:
        return ValidationError(message, fields)
    if kind == ConflictError.kind:
        return ConflictError(message, current_version)
    if kind == ThrottledError.kind:
        return ThrottledError(message, retry_after or 0.0)
    return _BY_KIND.get(kind, PartnerKitError)(message)
