"""What the library returns, and what is given to it: immutable records.

Instants are aware `datetime`s in UTC with milliseconds; ids are `uuid.UUID`s; enumerations are
strings, too (`reseller.status == "active"`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from .errors import FieldError

__all__ = [
    "Access",
    "AgencyDeletionPreview",
    "AgencySettings",
    "Change",
    "ChangeKind",
    "Consumption",
    "ContactPerson",
    "DeletionPreview",
    "DenialReason",
    "DomainAvailability",
    "Erasure",
    "EventOutcome",
    "Identity",
    "ImportReport",
    "Maintenance",
    "Metric",
    "OutcomeKind",
    "Overview",
    "Page",
    "PartnerType",
    "PhoneCountry",
    "Reseller",
    "ResolvedHost",
    "RowKind",
    "RowReport",
    "SortBy",
    "Status",
    "Total",
    "UsageEvent",
    "UsageReport",
]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Status(StrEnum):
    """Whether a reseller may sign in and consume."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class Erasure(StrEnum):
    """How far a deletion has got."""

    COMPLETE = "complete"
    """What was deleted can be read nowhere."""
    PENDING = "pending"
    """No query finds it, but somebody still keeps it in the store's files; `Platform.maintain`
    will finish it."""


class SortBy(StrEnum):
    """What a list is sorted by; the id decides between equals."""

    JOINED = "joined"
    NAME = "name"
    EMAIL = "email"


class RowKind(StrEnum):
    """What became of a row of a file."""

    CREATED = "created"
    EXISTING = "existing"
    """The reseller was there already, with this email, login domain and external id."""
    REJECTED = "rejected"


class PartnerType(StrEnum):
    """What a reseller sells."""

    OWN_PLANS = "own_plans"
    COMMISSION = "commission"


class Metric(StrEnum):
    """What is counted. TEAM_MEMBERS is a gauge (the latest level counts), the rest add up."""

    MESSAGES = "messages"
    WHATSAPP_MESSAGES = "whatsapp_messages"
    WHATSAPP_CONVERSATIONS = "whatsapp_conversations"
    TEAM_MEMBERS = "team_members"


class OutcomeKind(StrEnum):
    """What became of one event of a batch."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class DenialReason(StrEnum):
    """Why a `consume` was denied."""

    LIMIT_REACHED = "limit_reached"
    INACTIVE = "inactive"


class ChangeKind(StrEnum):
    """What an entry of the change feed tells."""

    AGENCY_CREATED = "agency_created"
    AGENCY_UPDATED = "agency_updated"
    RESELLER_CREATED = "reseller_created"
    RESELLER_UPDATED = "reseller_updated"
    RESELLER_DEACTIVATED = "reseller_deactivated"
    RESELLER_ACTIVATED = "reseller_activated"
    RESELLER_DELETED = "reseller_deleted"
    ALLOWANCE_CHANGED = "allowance_changed"
    PASSWORD_CHANGED = "password_changed"
    ACCESS_REVOKED = "access_revoked"
    SIGN_IN_UNLOCKED = "sign_in_unlocked"
    SIGN_IN_LOCKED = "sign_in_locked"
    LOGIN_DOMAIN_CHANGED = "login_domain_changed"
    PARTNER_TYPE_CHANGED = "partner_type_changed"


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """The person to talk to."""

    name: str
    email: str
    phone: str
    """In E.164 (`+14155552671`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseller:
    """A reseller as stored. It holds no secret."""

    agency: str
    id: UUID
    version: int
    """Counts the changes, from 1."""
    status: Status
    deactivation_reason: str | None
    partner_type: PartnerType
    name: str
    email: str
    phone: str
    """In E.164 (`+14155552671`)."""
    contact: ContactPerson
    login_domain: str
    website: str | None
    external_id: str | None
    """The host's own id, unique within the agency."""
    metadata: Mapping[str, str] = field(hash=False)
    """The host's own data."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """How many resellers a query finds."""

    count: int
    exact: bool
    """Otherwise there are this many or more: counting was ended."""


@dataclass(frozen=True, slots=True)
class Page:
    """Resellers, and where the next page begins."""

    resellers: list[Reseller]
    next: str | None
    """Give this to `Agency.page(after=…)`; None at the end."""
    total: Total | None = None
    """How many there are on all pages, if that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencySettings:
    """An agency as stored."""

    agency: str
    version: int
    """Counts the changes, from 1."""
    time_zone: str
    capacity: Mapping[str, int] = field(hash=False)
    """How much of a metric the agency has to give; unlimited if not here."""
    reserved_labels: tuple[str, ...]
    """Login domains that none of its resellers may take."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionPreview:
    """What deleting a reseller would do."""

    reseller: UUID
    login_domain: str
    """It would stop working."""
    quarantined_until: datetime | None
    """From when on somebody else could have it; None is never."""
    levels: Mapping[str, int] = field(hash=False)
    """The levels of gauges that would leave the agency's totals."""


@dataclass(frozen=True, slots=True)
class AgencyDeletionPreview:
    """What deleting an agency would do."""

    agency: str
    resellers: int
    """How many would be deleted with it."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What upkeep did."""

    removed: int
    """How many rows."""
    finished: bool
    """Whether every agency has had its turn; otherwise the next call goes on."""
    erasure: Erasure


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReport:
    """What became of one row of a file."""

    line: int
    """The line it begins at, from 1."""
    kind: RowKind
    reseller: UUID | None
    errors: list[FieldError]
    """Every reason why it was rejected."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many rows of a file were created, were there already, were rejected."""

    created: int
    existing: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Access:
    """What a successful sign-in gives."""

    agency: str
    reseller: Reseller
    stamp: str = field(repr=False)
    """For the host's session, and as good as a password: it is never shown."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose access a valid stamp is."""

    agency: str
    reseller: UUID


@dataclass(frozen=True, slots=True)
class DomainAvailability:
    """Whether a login domain can be had: advice, because creating decides."""

    refused: str | None
    """Why not: the slug of a field code (`taken`); None when it is free."""
    suggestions: tuple[str, ...]
    """Up to five free labels like it."""

    @property
    def available(self) -> bool:
        """Whether it was free when asked.

        ```python
        label = agency.domain_availability("acme")
        assert not label.available
        ```
        """
        return self.refused is None


@dataclass(frozen=True, slots=True)
class ResolvedHost:
    """Which reseller a request is for."""

    agency: str
    reseller: UUID
    login_domain: str
    """What `Platform.sign_in` takes."""
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """Something that was used, as a host reports it.

    Nothing is checked before it is recorded: a wrong value is then the event's own rejection.
    """

    id: str
    """The host's id of the event, 1-255 bytes; reporting it again changes nothing."""
    reseller: UUID | str
    metric: Metric | str
    quantity: int
    """What a counter adds, or the level of a gauge. Not negative."""
    at: datetime
    """When: aware, at most 35 days ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOutcome:
    """What became of one event."""

    kind: OutcomeKind
    field: str | None = None
    """Which field of the event is wrong, where it was rejected."""
    code: str | None = None
    """Why it was rejected: a stable slug, the same as those of field errors."""
    params: Mapping[str, int] | None = dataclasses.field(default=None, hash=False)
    """The bound that was broken, where there is one (`{"max": 200}`)."""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What became of a batch, event by event, in the order given."""

    outcomes: list[EventOutcome]

    @property
    def accepted(self) -> int:
        """How many events were counted.

        ```python
        event = partnerkit.UsageEvent(
            id="msg-1", reseller=acme.id, metric="messages", quantity=250, at=acme.created_at
        )
        report = agency.record_usage([event, event])
        assert report.accepted == 1  # the other one is a duplicate
        ```
        """
        return sum(outcome.kind is OutcomeKind.ACCEPTED for outcome in self.outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What became of a `consume`; true if it was granted."""

    granted: bool
    used: int
    """Used in the period, this included if it was granted."""
    limit: int | None
    """The limit of the period; None is unlimited."""
    requested: int
    resets_at: datetime
    """When the next period begins."""
    duplicate: bool
    """Whether this very call had been granted before; nothing was added then."""
    reason: DenialReason | None
    """Why it was denied."""

    def __bool__(self) -> bool:
        return self.granted


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An agency's totals over all time. Those of counters include deleted resellers."""

    active_resellers: int
    messages: int
    whatsapp_messages: int
    whatsapp_conversations: int
    team_members: int
    """The sum of the latest levels of the resellers there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the change feed. It names what changed, never what it changed to."""

    sequence: int
    """The place in the agency's feed, from 1 and without gaps."""
    id: UUID
    kind: ChangeKind
    reseller: UUID | None
    version: int
    """The version the record had afterwards."""
    at: datetime
    actor: str | None
    """Who did it, as the host gave it."""
    fields: list[str]


@dataclass(frozen=True, slots=True)
class PhoneCountry:
    """A country of the telephone numbering plan."""

    code: str
    """ISO 3166-1 alpha-2."""
    calling_code: int
    """Without `+`."""
    example: str | None
    """A national number of the country, to show as a placeholder."""
