"""What records can do beside holding fields: a record of the same name has these methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import EventOutcome


class Consumption:
    """True if it was granted."""

    __slots__ = ()
    granted: bool

    def __bool__(self) -> bool:
        return self.granted


class DomainAvailability:
    """Knows whether the label was free."""

    __slots__ = ()
    refused: str | None

    @property
    def available(self) -> bool:
        """Whether the label was free when asked."""
        return self.refused is None


class UsageReport:
    """Counts its outcomes."""

    __slots__ = ()
    outcomes: tuple[EventOutcome, ...]

    @property
    def accepted(self) -> int:
        """How many events were counted."""
        return sum(outcome.kind == "accepted" for outcome in self.outcomes)
