"""A storage written in Python: how it is called, and what becomes of what it raises."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import DatabaseError

import partnerkit
from partnerkit import Platform
from partnerkit.django import DjangoStorage
from partnerkit.storage import Kind, Mode, TableStore, TableTransaction

from forms import draft


class Defect(Exception):
    """Something that the library knows nothing of."""


class Spy:
    """A store, or a transaction of one, that counts calls and fails where it is told to."""

    def __init__(self, inner: Any, calls: Counter[str], failures: dict[str, Any]) -> None:
        self.inner, self.calls, self.failures = inner, calls, failures

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
            return Spy(answer, self.calls, self.failures) if name == "begin" else answer

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


class Wrong:
    """A store of which one method answers something of the wrong shape."""

    def __init__(self, method: str, answer: object) -> None:
        self.method, self.answer = method, answer

    def __getattr__(self, name: str) -> Any:
        if name == self.method:
            return lambda *_: self.answer
        return {
            "schema_version": lambda: partnerkit.SCHEMA_VERSION,
            "begin": lambda *_: self,
            "joined": lambda: False,
            "scan": lambda *_: [("_platform", 1, bytes(32), 0)],
            "get": lambda _, keys, __: [None] * len(keys),
            "insert": lambda _, rows: [True] * len(rows),
            "search": lambda *_: [],
        }.get(name, lambda *_: None)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("schema_version", None),
        ("schema_version", -1),
        ("scan", [("_platform", 1)]),
        ("scan", [("_platform", 1, bytes(31), 0)]),
        ("scan", [("_platform", 1, 1.5, 0)]),
        ("scan", [("_platform", 2**63, bytes(32), 0)]),
        ("scan", None),
        ("scan", [7]),
        ("get", []),
        ("get", [("northwind",)]),
        ("insert", [True, True]),
        ("insert", ["yes"]),
        ("begin", None),
    ],
)
def test_answers_of_the_wrong_shape(method: str, answer: object) -> None:
    with pytest.raises(partnerkit.StorageError):
        platform = Platform.with_storage(Wrong(method, answer))
        platform.prepare()
        platform.create_agency("northwind")
        platform.agency("northwind")
    assert Platform.open("memory:").create_agency("northwind").id == "northwind"


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
    assert len(tables) == 13
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
