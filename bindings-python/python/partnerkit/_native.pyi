from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from typing import Final, Literal, Protocol, Self, TypedDict, Unpack, final
from uuid import UUID

from .errors import Code, ValidationError
from .records import (
    Access,
    AgencyDeletionPlan,
    AgencySettings,
    Change,
    Consumption,
    ContactDraft,
    DeletionPlan,
    DomainAvailability,
    Erasure,
    Identity,
    ImportReport,
    Maintenance,
    Metric,
    Overview,
    Page,
    PartnerType,
    Phone,
    PhoneCountry,
    Place,
    Reseller,
    RowReport,
    SortBy,
    Status,
    UsageEvent,
    UsageReport,
)
from .storage import Table, TableStore

SCHEMA_VERSION: Final[int]

class _Contact(TypedDict, total=False):
    name: str
    email: str
    phone: Phone

class _Draft(TypedDict, total=False):
    partner_type: PartnerType | str
    name: str
    email: str
    phone: Phone
    password: str
    password_confirmation: str
    password_hash: str | None
    invite: bool
    contact: ContactDraft | _Contact
    login_domain: str
    website: str | None
    external_id: str | None
    metadata: Mapping[str, str]

class _Patch(TypedDict, total=False):
    name: str
    email: str
    phone: Phone
    contact: ContactDraft | _Contact
    website: str | None
    external_id: str | None
    metadata: Mapping[str, str]

class _AgencyPatch(TypedDict, total=False):
    time_zone: str | None
    capacity: Mapping[str, int] | None
    reserved_labels: Sequence[str] | None

class _Conditions(TypedDict, total=False):
    status: Status | str | None
    partner_type: PartnerType | str | None
    joined_from: datetime | None
    joined_before: datetime | None
    sort: SortBy | str | None
    descending: bool | None
    limit: int | None

class _LegacyVerifier(Protocol):
    def recognises(self, hash: str, /) -> bool: ...
    def verify(self, password: str, hash: str, /) -> bool: ...

class _Settings(TypedDict, total=False):
    login_base: str | None
    login_domains: Literal["letters", "dns"] | None
    reserve: Sequence[str] | None
    reserve_only: Sequence[str] | None
    quarantine: int | Literal["immediately", "never"]
    second_factor: bool
    hashing: tuple[int, int] | None
    hashing_cost: tuple[int, int, int] | None
    peppers: Mapping[int, bytes] | None
    legacy_verifier: _LegacyVerifier | None
    sign_in_limit: int | None
    sign_in_delay_from: int | None
    source_limit: tuple[int, timedelta] | None
    secrets: Mapping[int, bytes] | None
    keep_idempotency_keys: timedelta | None
    keep_changes: timedelta | None
    clock: Callable[[], datetime] | None

class _Reads(Protocol):
    def read(self, size: int, /) -> bytes | bytearray | memoryview: ...

class _Writes(Protocol):
    def write(self, data: bytes, /) -> object: ...
    def flush(self) -> object: ...

class _Harness(Protocol):
    def storage(self) -> TableStore: ...
    def thread_ends(self) -> None: ...

@final
class Platform:
    @staticmethod
    def open(url: str, **settings: Unpack[_Settings]) -> Platform: ...
    @staticmethod
    def with_storage(storage: TableStore, **settings: Unpack[_Settings]) -> Platform: ...
    def prepare(self) -> None: ...
    def create_agency(self, id: str, time_zone: str | None = None) -> Agency: ...
    def ensure_agency(self, id: str, time_zone: str | None = None) -> Agency: ...
    def agency(self, id: str) -> Agency: ...
    def agencies(self, after: str | None = None, limit: int | None = None) -> list[str]: ...
    def plan_agency_deletion(self, id: str) -> AgencyDeletionPlan: ...
    def delete_agency(self, id: str) -> Erasure: ...
    def backup(self, path: str | PathLike[str]) -> None: ...
    def maintain(self, budget: int | None = None) -> Maintenance: ...
    def sign_in(
        self, login_domain: str, email: str, password: str, *, source: str | None = None
    ) -> Access: ...
    def check_access(self, stamp: str) -> Identity: ...
    def reset_password(
        self, token: str, *, password: str, password_confirmation: str
    ) -> None: ...
    def domain_availability(self, label: str) -> DomainAvailability: ...
    def login_url(self, login_domain: str) -> str: ...
    def resolve_host(self, host: str) -> Place: ...

@final
class Agency:
    @property
    def id(self) -> str: ...
    def acting_as(self, actor: str) -> Agency: ...
    def settings(self) -> AgencySettings: ...
    def configure(
        self,
        version: int | None = None,
        *,
        time_zone: str | None = None,
        capacity: Mapping[str, int] | None = None,
        reserved_labels: Sequence[str] | None = None,
    ) -> AgencySettings: ...
    def domain_availability(self, label: str) -> DomainAvailability: ...
    def create_reseller(
        self, *, idempotency_key: str | None = None, **fields: Unpack[_Draft]
    ) -> Reseller: ...
    def create_resellers(
        self, forms: Iterable[_Draft | dict[str, object]]
    ) -> list[Reseller | ValidationError]: ...
    def check_resellers(
        self, forms: Iterable[_Draft | dict[str, object]]
    ) -> list[Reseller | ValidationError]: ...
    def import_csv(
        self,
        file: str | PathLike[str] | _Reads,
        *,
        dry_run: bool = False,
        delimiter: str | None = None,
        each: Callable[[RowReport], object] | None = None,
    ) -> ImportReport: ...
    def export_csv(
        self,
        file: str | PathLike[str] | _Writes,
        text: str = "",
        **conditions: Unpack[_Conditions],
    ) -> int: ...
    def reseller(self, id: UUID | str) -> Reseller: ...
    def reseller_by_external_id(self, external_id: str) -> Reseller | None: ...
    def update_reseller(
        self, id: UUID | str, version: int | None = None, **patch: Unpack[_Patch]
    ) -> Reseller: ...
    def deactivate(self, id: UUID | str, reason: str | None = None) -> Reseller: ...
    def activate(self, id: UUID | str) -> Reseller: ...
    def change_partner_type(
        self, id: UUID | str, partner_type: PartnerType | str, version: int | None = None
    ) -> Reseller: ...
    def plan_deletion(self, id: UUID | str) -> DeletionPlan: ...
    def delete_reseller(self, id: UUID | str) -> Erasure: ...
    def rename_login_domain(
        self, id: UUID | str, login_domain: str, version: int | None = None
    ) -> Reseller: ...
    def set_password(
        self, id: UUID | str, *, password: str, password_confirmation: str
    ) -> None: ...
    def change_password(
        self, id: UUID | str, *, current: str, password: str, password_confirmation: str
    ) -> None: ...
    def reset_token(self, id: UUID | str) -> str: ...
    def revoke_access(self, id: UUID | str) -> None: ...
    def unlock(self, id: UUID | str) -> None: ...
    def page(
        self,
        text: str = "",
        *,
        after: str | None = None,
        with_total: bool = False,
        **conditions: Unpack[_Conditions],
    ) -> Page: ...
    def search(self, text: str = "", **conditions: Unpack[_Conditions]) -> Search: ...
    def record_usage(self, events: Iterable[UsageEvent]) -> UsageReport: ...
    def consume(
        self, reseller: UUID | str, metric: Metric | str, quantity: int, id: str
    ) -> Consumption: ...
    def set_allowance(
        self, reseller: UUID | str, metric: Metric | str, limit: int | None
    ) -> None: ...
    def overview(self) -> Overview: ...
    def changes(self, after: int | None = None, limit: int | None = None) -> list[Change]: ...

@final
class Search(Iterator[Reseller]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> Reseller: ...

def before_fork() -> None: ...
def after_fork() -> None: ...
def field_codes() -> list[Code]: ...
def log_calls(level: int = 10) -> None: ...
def national_format(phone: str) -> str: ...
def phone_countries() -> list[PhoneCountry]: ...
def schema() -> tuple[Table, ...]: ...
def conformance_cases() -> list[str]: ...
def run_conformance_case(name: str, harness: _Harness) -> None: ...
def panic_for_tests(message: str) -> None: ...
def repeat_in_rust(agency: Agency, id: UUID | None, calls: int) -> None: ...
