"""Records: the package's classes are those of what the core answers, field by field."""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
import io
import itertools
import pickle
import pydoc
import sqlite3
import tempfile
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, is_typeddict
from uuid import UUID

import pytest

import partnerkit
from partnerkit import Agency, Metric, Platform, UsageEvent, errors, records

import vectors
from forms import PASSWORD, draft, draft_with_password
from processes import ran

NOW = datetime(2026, 3, 15, 12, 0, 0, 123_000, tzinfo=UTC)
# What is given to the library, and not answered by it.
FORMS = {partnerkit.UsageEvent}


def opened(now: datetime = NOW, **settings: Any) -> tuple[Platform, Agency]:
    base = "partner.example.com"
    platform = Platform.open("memory:", login_base=base, clock=lambda: now, **settings)
    return platform, platform.create_agency("northwind")


def answers() -> Iterator[object]:
    """An answer of each kind, and of each shape that it can have."""
    platform, agency = opened()
    yield partnerkit.field_codes()
    yield partnerkit.phone_countries()
    acme = agency.create_reseller(**draft_with_password("acme", metadata={"tier": "gold"}))
    globex = agency.create_reseller(
        **draft("globex", website="globex.example", external_id="crm-7")
    )
    yield acme
    yield globex
    yield agency.configure(capacity={"messages": 5}, reserved_labels=["beta"])
    yield agency.page(with_total=True)
    yield platform.sign_in("acme", acme.email, PASSWORD)
    yield platform.check_access(platform.sign_in("acme", acme.email, PASSWORD).stamp, None)
    yield platform.resolve_host("acme.partner.example.com")
    yield agency.domain_availability("acme")
    yield agency.domain_availability("initech")
    yield agency.check_resellers([draft("acme"), draft("initech")])
    with pytest.raises(partnerkit.ValidationError) as refused:
        agency.create_reseller(**draft("initech", name="x" * 201))
    yield refused.value.errors
    level: dict[str, Any] = {"metric": Metric.TEAM_MEMBERS, "quantity": 3, "at": NOW}
    events = [
        UsageEvent(id="e-1", reseller=acme.id, **level),
        UsageEvent(id="e-1", reseller=globex.id, **level),
        UsageEvent(id="x" * 256, reseller=acme.id, **level),
    ]
    yield agency.record_usage(events)
    yield agency.consume(acme.id, "messages", 2, "c-1")
    agency.set_allowance(acme.id, "messages", 2)
    yield agency.consume(acme.id, "messages", 1, "c-2")
    yield agency.overview()
    yield agency.deactivate(acme.id, "unpaid")
    yield agency.acting_as("ann").update_reseller(acme.id, name="Acme Ltd")
    yield agency.changes()
    file = io.BytesIO()
    agency.export_csv(file)
    rows: list[partnerkit.RowReport] = []
    yield agency.import_csv(io.BytesIO(file.getvalue() + b"x\n"), each=rows.append)
    yield rows
    yield agency.preview_deletion(acme.id)
    yield agency.delete_reseller(acme.id)
    yield platform.preview_agency_deletion("northwind")
    yield platform.maintain()
    yield platform.agencies()
    yield falsified()


def falsified() -> partnerkit.UsageVerification:
    """What is found where somebody else has changed a total."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "resellers.db"
        with Platform.open(f"sqlite:{file}") as platform:
            acme = platform.create_agency("northwind").create_reseller(**draft("acme"))
            platform.agency("northwind").consume(acme.id, "messages", 3, "c-1")
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE totals SET value = 5 WHERE name = 'messages'")
        with Platform.open(f"sqlite:{file}") as platform:
            return platform.agency("northwind").verify_usage()


def test_s37_a_falsified_total_is_named() -> None:
    found = falsified()
    assert (found.found, found.events) == (1, 1)
    (total,) = found.differences
    assert (total.reseller, total.metric, total.start) == (None, Metric.MESSAGES, None)
    assert (total.field, total.stored, total.expected) == ("value", 5, 3)


def answers_to_vectors() -> list[object]:
    """What operations answer that have vectors, whichever they are."""
    seen: list[object] = []
    for _, case in vectors.cases():
        vectors.run(case, seen=seen.append)
    return seen


def records_in(answer: Any) -> Iterator[Any]:
    """Every record of an answer, those in others included."""
    if isinstance(answer, partnerkit.ValidationError):
        answer = answer.errors
    if isinstance(answer, list | tuple):
        for item in answer:
            yield from records_in(item)
    elif dataclasses.is_dataclass(answer):
        yield answer
        for field in dataclasses.fields(answer):
            yield from records_in(getattr(answer, field.name))


def is_a(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation says, and of exactly that class."""
    of, parts = typing.get_origin(hint), typing.get_args(hint)
    if of in (typing.Union, types.UnionType):
        return any(is_a(value, part) for part in parts)
    if of is Mapping:
        return type(value) is dict and all(
            isinstance(key, parts[0]) and is_a(item, parts[1]) for key, item in value.items()
        )
    if of in (list, tuple):
        return type(value) is of and all(is_a(item, parts[0]) for item in value)
    return type(value) is hint


# The serializer refuses a class that has other fields than the core's record, or in another
# order; here every class is asked for.
def test_every_record_has_a_class_with_its_fields() -> None:
    told = [*answers(), *answers_to_vectors()]
    found = [record for answer in told for record in records_in(answer)]
    classes = [
        member
        for module in (records, errors)
        for member in vars(module).values()
        if dataclasses.is_dataclass(member)
    ]
    assert {type(record) for record in found} == set(classes) - FORMS
    for record in found:
        hash(record)
        hints = typing.get_type_hints(type(record), vars(records))
        for field in dataclasses.fields(record):
            value = getattr(record, field.name)
            assert is_a(value, hints[field.name]), f"{type(record).__name__}.{field.name}"


@pytest.mark.parametrize(
    "names",
    [
        ["reseller", "agency", "status"],
        ["agency", "reseller"],
        ["agency", "reseller", "status", "more"],
        ["agency", "reseller", "state"],
    ],
)
def test_a_class_with_other_fields_than_the_record_is_refused(names: list[str]) -> None:
    program = f"""
import dataclasses, partnerkit
from partnerkit import records
records.ResolvedHost = dataclasses.make_dataclass("ResolvedHost", {names}, frozen=True, slots=True)
platform = partnerkit.Platform.open("memory:", login_base="partner.example.com")
agency = platform.create_agency("northwind")
agency.create_reseller(**{draft("acme")!r})
try:
    platform.resolve_host("acme.partner.example.com")
except TypeError as error:
    print(error)
"""
    done = ran(program)
    done.check_returncode()
    assert "the package's class 'ResolvedHost' differs at" in done.stdout


def test_a_record_is_like_one_that_python_made() -> None:
    _, agency = opened()
    acme = agency.create_reseller(**draft("acme"))
    fields = {field.name: getattr(acme, field.name) for field in dataclasses.fields(acme)}
    assert partnerkit.Reseller(**fields) == acme
    assert hash(partnerkit.Reseller(**fields)) == hash(acme)
    assert dataclasses.replace(acme, version=2).version == 2
    assert pickle.loads(pickle.dumps(acme)) == copy.deepcopy(acme) == acme
    with pytest.raises(dataclasses.FrozenInstanceError):
        acme.name = "other"  # type: ignore[misc]


def test_an_id_is_like_one_that_python_made() -> None:
    _, agency = opened()
    id = agency.create_reseller(**draft("acme")).id
    made = UUID(str(id))
    assert (id, hash(id), repr(id), id.is_safe) == (made, hash(made), repr(made), made.is_safe)
    assert pickle.loads(pickle.dumps(id)) == copy.copy(id) == id
    assert agency.reseller(id).id == id


@pytest.mark.parametrize(
    "at",
    [
        NOW,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2000, 2, 29, 23, 59, 59, 1_000, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    ],
)
def test_an_instant_is_told_to_the_millisecond(at: datetime) -> None:
    _, agency = opened(at)
    created_at = agency.create_reseller(**draft("acme")).created_at
    assert created_at == at
    assert created_at.tzinfo is UTC


def test_a_quarantine_that_datetime_cannot_hold_never_ends() -> None:
    _, agency = opened(datetime(9999, 12, 31, tzinfo=UTC), quarantine=30)
    acme = agency.create_reseller(**draft("acme"))
    assert agency.preview_deletion(acme.id).quarantined_until is None
    _, agency = opened(NOW, quarantine=30)
    acme = agency.create_reseller(**draft("acme"))
    assert agency.preview_deletion(acme.id).quarantined_until == NOW + timedelta(days=30)


def has_fields(found: Any) -> bool:
    return dataclasses.is_dataclass(found) or is_typeddict(found)


WITH_FIELDS = {name: found for name, found in vars(partnerkit).items() if has_fields(found)}


@pytest.mark.parametrize("cls", WITH_FIELDS.values(), ids=WITH_FIELDS)
def test_help_tells_what_each_field_is(cls: type) -> None:
    shown = " ".join(pydoc.plain(pydoc.render_doc(cls)).replace(" |", "").split())
    for name, about in documented(cls):
        assert f" {name}: {about}" in shown


def documented(cls: type) -> list[tuple[str, str]]:
    """The fields, each with the text that stands below it in the source."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(body, ast.ClassDef)
    found = []
    for field, below in itertools.pairwise(body.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            found.append((field.target.id, " ".join(str(below.value.value).split())))
    assert found
    return found
