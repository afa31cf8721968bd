from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, Self, TypedDict, Unpack, final
from uuid import UUID

from .records import (
    Access,
    Change,
    Consumption,
    ContactDraft,
    DomainAvailability,
    Identity,
    Metric,
    Overview,
    Page,
    PartnerType,
    Phone,
    PhoneCountry,
    Place,
    Reseller,
    Status,
    UsageEvent,
    UsageReport,
)
from .storage import Table, TableStore

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

class _Harness(Protocol):
    def storage(self) -> TableStore: ...
    def thread_ends(self) -> None: ...

@final
class Platform:
    @staticmethod
    def open(
        url: str,
        *,
        login_base: str | None = None,
        second_factor: bool = False,
        sign_in_limit: int | None = None,
        sign_in_delay_from: int | None = None,
    ) -> Platform: ...
    @staticmethod
    def with_storage(
        storage: TableStore,
        *,
        login_base: str | None = None,
        second_factor: bool = False,
        sign_in_limit: int | None = None,
        sign_in_delay_from: int | None = None,
    ) -> Platform: ...
    def create_agency(self, id: str, time_zone: str = "UTC") -> Agency: ...
    def agency(self, id: str) -> Agency: ...
    def sign_in(self, login_domain: str, email: str, password: str) -> Access: ...
    def check_access(self, stamp: str) -> Identity: ...
    def reset_password(
        self, token: str, *, password: str, password_confirmation: str
    ) -> None: ...
    def domain_availability(self, label: str) -> DomainAvailability: ...
    def resolve_host(self, host: str) -> Place: ...

@final
class Agency:
    @property
    def id(self) -> str: ...
    def acting_as(self, actor: str) -> Agency: ...
    def create_reseller(self, **fields: Unpack[_Draft]) -> Reseller: ...
    def reseller(self, id: UUID | str) -> Reseller: ...
    def reseller_by_external_id(self, external_id: str) -> Reseller | None: ...
    def update_reseller(
        self, id: UUID | str, version: int | None = None, **patch: Unpack[_Patch]
    ) -> Reseller: ...
    def deactivate(self, id: UUID | str, reason: str | None = None) -> Reseller: ...
    def activate(self, id: UUID | str) -> Reseller: ...
    def delete_reseller(self, id: UUID | str) -> None: ...
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
        status: Status | str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page: ...
    def search(
        self, text: str = "", status: Status | str | None = None, limit: int | None = None
    ) -> Search: ...
    def record_usage(self, events: Iterable[UsageEvent]) -> UsageReport: ...
    def consume(
        self, reseller: UUID | str, metric: Metric | str, quantity: int, id: str
    ) -> Consumption: ...
    def set_allowance(
        self, reseller: UUID | str, metric: Metric | str, limit: int | None
    ) -> None: ...
    def overview(self) -> Overview: ...
    def changes(self, after: int = 0, limit: int | None = None) -> list[Change]: ...

@final
class Search(Iterator[Reseller]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> Reseller: ...

def phone_countries() -> list[PhoneCountry]: ...
def schema() -> tuple[Table, ...]: ...
def conformance_cases() -> list[str]: ...
def run_conformance_case(name: str, harness: _Harness) -> None: ...
def panic_for_tests(message: str) -> None: ...
