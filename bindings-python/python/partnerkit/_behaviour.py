"""The methods of records: the record with the name of a class here has its methods."""

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
    """Tells whether the label was free."""

    __slots__ = ()
    refused: str | None

    @property
    def available(self) -> bool:
        """Whether the label was free when asked.

        ```python
        label = agency.domain_availability("acme")
        assert not label.available
        ```
        """
        return self.refused is None


class UsageReport:
    """Counts its outcomes."""

    __slots__ = ()
    outcomes: tuple[EventOutcome, ...]

    @property
    def accepted(self) -> int:
        """The number of events that were counted.

        ```python
        event = partnerkit.UsageEvent(
            id="msg-1", reseller=acme.id, metric="messages", quantity=250, at=acme.created_at
        )
        report = agency.record_usage([event, event])
        assert report.accepted == 1  # the other one is a duplicate
        ```
        """
        return sum(outcome.kind == "accepted" for outcome in self.outcomes)
