"""A storage written in Python: how it is called, and what becomes of what it raises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import repeat
from types import MappingProxyType
from typing import Any

import pytest
from django.db import DatabaseError

import partnerkit
from partnerkit import Platform
from partnerkit.django import DjangoStorage
from partnerkit.storage import Kind, Mode, RemovingTransaction, TableStore, TableTransaction

from forms import draft

HALF = "\ud800"


class Defect(Exception):
    """Something that the library knows nothing of."""


class Spy:
    """A store, or a transaction of one, that counts calls, and fails or answers something else
    where it is told to."""

    def __init__(
        self,
        inner: Any,
        calls: Counter[str],
        failures: dict[str, Any],
        answers: Mapping[str, Callable[[Any], object]] = MappingProxyType({}),
    ) -> None:
        self.inner, self.calls, self.failures, self.answers = inner, calls, failures, answers

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        def call(*arguments: Any) -> Any:
            self.calls[name] += 1
            failure = self.failures.get(name)
            if isinstance(failure, list):
                failure = failure.pop() if failure else None
            if failure is not None:
                if name in ("commit", "rollback"):
                    # The transaction has ended all the same.
                    self.inner.rollback()
                raise failure
            answer = method(*arguments)
            if name in self.answers:
                if name == "begin":
                    answer.rollback()
                return self.answers[name](answer)
            if name == "begin":
                return type(self)(answer, self.calls, self.failures, self.answers)
            return answer

        return call


@pytest.fixture
def failures() -> dict[str, Any]:
    return {}


@pytest.fixture
def calls() -> Counter[str]:
    return Counter()


@pytest.fixture
def agency(
    sqlite_alias: str, failures: dict[str, Any], calls: Counter[str]
) -> partnerkit.Agency:
    store = Spy(DjangoStorage(using=sqlite_alias), calls, failures)
    return Platform.with_storage(store).create_agency("northwind")


EACH = ["begin", "insert", "get", "add", "put", "commit"]


def make(method: str, agency: partnerkit.Agency) -> None:
    """Something that calls the method."""
    acme = agency.create_reseller(**draft("acme"))
    if method == "get":
        agency.reseller(acme.id)


@pytest.mark.parametrize("method", EACH)
def test_an_exception_is_the_cause_of_a_storage_error(
    method: str, agency: partnerkit.Agency, failures: dict[str, Any]
) -> None:
    failures[method] = Defect("the original")
    with pytest.raises(partnerkit.StorageError) as failed:
        make(method, agency)
    assert failed.value.__cause__ is failures.pop(method)
    assert str(failed.value) == "storage: the host's storage raised Defect"
    assert len(list(agency.search())) in (0, 1), "the store goes on"


def test_a_databases_own_error_is_the_cause(agency: partnerkit.Agency) -> None:
    from django.db import connections

    with connections["sqlite"].cursor() as cursor:
        cursor.execute("ALTER TABLE partnerkit_resellers RENAME TO partnerkit_hidden")
    try:
        with pytest.raises(partnerkit.StorageError) as failed:
            agency.create_reseller(**draft("acme"))
        assert isinstance(failed.value.__cause__, DatabaseError)
        assert "no such table" in str(failed.value.__cause__)
    finally:
        with connections["sqlite"].cursor() as cursor:
            cursor.execute("ALTER TABLE partnerkit_hidden RENAME TO partnerkit_resellers")


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_goes_through(
    interrupt: type[BaseException], agency: partnerkit.Agency, failures: dict[str, Any]
) -> None:
    failures["add"] = interrupt()
    with pytest.raises(interrupt):
        agency.create_reseller(**draft("acme"))
    del failures["add"]
    assert list(agency.search()) == [], "and undoes what was begun"
    agency.create_reseller(**draft("acme"))


def test_aborted_work_runs_again(
    agency: partnerkit.Agency, failures: dict[str, Any], calls: Counter[str]
) -> None:
    failures["commit"] = [partnerkit.AbortedError("try again") for _ in range(3)]
    calls.clear()
    agency.create_reseller(**draft("acme"))
    assert (calls["begin"], calls["rollback"]) == (4, 0)


def test_work_that_is_aborted_again_and_again_is_given_up(
    agency: partnerkit.Agency, failures: dict[str, Any], calls: Counter[str]
) -> None:
    failures["add"] = original = partnerkit.AbortedError("always")
    calls.clear()
    with pytest.raises(partnerkit.AbortedError) as aborted:
        agency.create_reseller(**draft("acme"))
    assert aborted.value.__cause__ is original
    assert calls["begin"] == calls["rollback"] > 10


@pytest.mark.parametrize(
    "raised", [partnerkit.InsideTransactionError, partnerkit.OutcomeUnknownError]
)
def test_the_contracts_own_errors_keep_their_class(
    raised: type[Exception],
    agency: partnerkit.Agency,
    failures: dict[str, Any],
    calls: Counter[str],
) -> None:
    failures["begin"] = raised("no")
    calls.clear()
    with pytest.raises(raised):
        agency.create_reseller(**draft("acme"))
    assert calls["begin"] == 1


def test_the_first_exception_counts(
    agency: partnerkit.Agency, failures: dict[str, Any]
) -> None:
    failures |= {"add": Defect("first"), "rollback": Defect("second")}
    with pytest.raises(partnerkit.StorageError) as failed:
        agency.create_reseller(**draft("acme"))
    assert failed.value.__cause__ is failures["add"]


class Long(list[Any]):
    """More than there is room for, if one believes it."""

    def __len__(self) -> int:
        return 10**12


def in_first(change: Callable[[tuple[Any, ...]], object]) -> Callable[[Any], object]:
    """An answer of which one row is another."""
    return lambda rows: [change(rows[0]), *rows[1:]]


def last_is(value: object) -> Callable[[Any], object]:
    return in_first(lambda row: (*row[:-1], value))


ANY: list[Callable[[Any], object]] = [lambda right: None, lambda right: 7.5]
ROWS: list[Callable[[Any], object]] = [
    *ANY,
    in_first(lambda row: 7),
    in_first(lambda row: row[:-1]),
    in_first(lambda row: (*row, None)),
    in_first(lambda row: repeat("a")),
    in_first(lambda row: Long()),
    last_is(1.5),
    last_is(2**63),
    last_is(HALF),
    last_is(b"bytes"),
    lambda rows: repeat(rows[0]),
    lambda rows: range(10**12),
]
EACH_ROW: list[Callable[[Any], object]] = [
    lambda right: [],
    lambda right: [*right, *right],
    lambda right: repeat(right[0]),
    lambda right: range(10**12),
]
YES_OR_NO = [
    *ANY,
    *EACH_ROW,
    lambda right: ["yes"] * len(right),
    lambda right: [1] * len(right),
]
NUMBERS = [*ANY, lambda right: -1, lambda right: 2**64, lambda right: "1", lambda right: []]

# What a method answers, made wrong; and something that asks it.
ANSWERS = {
    "schema_version": NUMBERS,
    "begin": ANY,
    "scan": ROWS,
    "get": ROWS + EACH_ROW,
    "page": ROWS,
    "count": NUMBERS,
    "insert": YES_OR_NO,
    "update": YES_OR_NO,
    "remove": [*NUMBERS, lambda right: 1_000_000],
}


def ask(method: str, platform: Platform) -> None:
    platform.prepare()
    agency = platform.agency("northwind")
    acme, *_ = agency.search()
    if method == "get":
        assert agency.reseller(acme.id) == acme
    elif method == "count":
        assert platform.preview_agency_deletion("northwind").resellers == 1
    elif method == "insert":
        agency.create_reseller(**draft("globex"))
    elif method == "update":
        assert agency.update_reseller(acme.id, name="Another").name == "Another"
    elif method == "remove":
        platform.maintain()


@pytest.fixture
def store_with_a_reseller(sqlite_alias: str) -> DjangoStorage:
    store = DjangoStorage(using=sqlite_alias)
    agency = Platform.with_storage(store).create_agency("northwind")
    agency.create_reseller(**draft("acme"))
    return store


@pytest.mark.parametrize(
    ("method", "wrong"), [(method, wrong) for method in ANSWERS for wrong in ANSWERS[method]]
)
def test_answers_of_the_wrong_shape(
    method: str, wrong: Callable[[Any], object], store_with_a_reseller: DjangoStorage
) -> None:
    answers: dict[str, Callable[[Any], object]] = {}
    store = Spy(store_with_a_reseller, Counter(), {}, answers)
    answers[method] = wrong
    with pytest.raises(partnerkit.StorageError):
        ask(method, Platform.with_storage(store))
    del answers[method]
    ask(method, Platform.with_storage(store))


@pytest.mark.parametrize("method", ["scan", "get", "page", "insert", "update"])
def test_the_length_of_an_answer_is_counted_not_believed(
    method: str, store_with_a_reseller: DjangoStorage
) -> None:
    answers: dict[str, Callable[[Any], object]] = {method: Long}
    ask(method, Platform.with_storage(Spy(store_with_a_reseller, Counter(), {}, answers)))


class WithoutRemove(Spy):
    """A store of which no transaction removes by itself."""

    def __getattr__(self, name: str) -> Any:
        if name == "remove":
            raise AttributeError(name)
        return super().__getattr__(name)


def test_a_store_that_cannot_remove_is_asked_to_delete(sqlite_alias: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    calls: Counter[str] = Counter()
    platform = Platform.with_storage(
        WithoutRemove(DjangoStorage(using=sqlite_alias), calls, {}),
        keep_changes=timedelta(days=1),
        clock=lambda: now,
    )
    agency = platform.create_agency("northwind")
    agency.create_reseller(**draft("acme"))
    assert [change.sequence for change in agency.changes()] == [1, 2]
    now += timedelta(days=2)
    agency.create_reseller(**draft("globex"))
    assert [change.sequence for change in agency.changes()] == [1, 2, 3]
    calls.clear()
    assert platform.maintain().removed == 2
    assert [change.sequence for change in agency.changes(after=2)] == [3]
    assert calls["delete"] == 1


def test_a_store_that_calls_the_library_is_told_so(sqlite_alias: str) -> None:
    class Curious(DjangoStorage):
        agency: partnerkit.Agency | None = None

        def begin(self, agency: str, mode: Mode) -> Any:
            if self.agency is not None:
                self.agency.overview()
            return super().begin(agency, mode)

    store = Curious(using=sqlite_alias)
    agency = Platform.with_storage(store).create_agency("northwind")
    store.agency = agency
    with pytest.raises(partnerkit.InsideTransactionError):
        agency.create_reseller(**draft("acme"))


def test_the_schema_is_data() -> None:
    tables = {table.name: table for table in partnerkit.schema()}
    assert list(tables) == [table.name for table in partnerkit.schema()], "each name once"
    resellers = tables["resellers"]
    assert resellers.key == ("agency", "id")
    kinds = {column.name: column.kind for column in resellers.columns}
    assert kinds["id"] is Kind.UUID
    assert kinds["created_at"] is Kind.INTEGER
    unique = [index.columns for index in resellers.indexes if index.unique]
    assert unique == [("agency", "email_key"), ("agency", "external_id")]
    assert partnerkit.schema() is not partnerkit.schema()
    assert partnerkit.schema()[0] is partnerkit.schema()[0]


def test_django_has_every_method_of_the_contract() -> None:
    from partnerkit.django.rows import DjangoTransaction

    def names(cls: type) -> set[str]:
        return {name for name in vars(cls) if not name.startswith("_")}

    assert names(TableStore) <= names(DjangoStorage)
    assert names(TableTransaction) <= names(DjangoTransaction)
    assert names(RemovingTransaction) <= names(DjangoTransaction)


def test_a_storage_that_is_bound_to_the_calling_thread_has_no_asynchronous_handle(
    agency: partnerkit.Agency, sqlite_alias: str
) -> None:
    platform = Platform.with_storage(DjangoStorage(sqlite_alias))
    with pytest.raises(partnerkit.ConfigurationError, match="sync_to_async"):
        partnerkit.AsyncPlatform(platform)
    for handle in (agency, agency.acting_as("ann"), platform.agency(agency.id)):
        with pytest.raises(partnerkit.ConfigurationError, match="any_thread"):
            partnerkit.AsyncAgency(handle)

    class AnyThread(DjangoStorage):
        any_thread = True

    platform = Platform.with_storage(AnyThread(sqlite_alias))
    assert partnerkit.AsyncPlatform(platform).blocking is platform
    for handle in (platform.agency(agency.id), platform.agency(agency.id).acting_as("ann")):
        assert partnerkit.AsyncAgency(handle).blocking is handle
