"""Every error is an exception of its own, and none tells a secret."""

from __future__ import annotations

import io
import math
import traceback
import types
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

import partnerkit
from partnerkit import Agency, Platform, Reseller, UsageEvent, _native, errors

from forms import PASSWORD, draft, draft_with_password


@pytest.fixture
def platform() -> Platform:
    return Platform.open("memory:", login_base="partner.example.com")


def codes(call: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(partnerkit.ValidationError) as refused:
        call()
    return [(error.field, error.code) for error in refused.value.errors]


def test_every_reason_comes_at_once(agency: Agency) -> None:
    assert codes(lambda: agency.create_reseller()) == [
        (field, "empty")
        for field in (
            "partner_type",
            "name",
            "email",
            "phone.number",
            "password",
            "contact.name",
            "contact.email",
            "contact.phone.number",
            "login_domain",
        )
    ]
    wrong = draft_with_password("Acme", email="x", name="n" * 201, password_confirmation="y")
    assert codes(lambda: agency.create_reseller(**wrong)) == [
        ("name", "too_long"),
        ("email", "invalid"),
        ("password_confirmation", "mismatch"),
        ("login_domain", "uppercase"),
    ]


def test_a_field_error_explains_itself(agency: Agency) -> None:
    with pytest.raises(ValueError) as refused:
        agency.create_reseller(**draft("acme", name="n" * 201))
    assert isinstance(refused.value, partnerkit.ValidationError)
    assert refused.value.kind == "validation"
    (error,) = refused.value.errors
    assert error == partnerkit.FieldError(
        field="name", code="too_long", params={"max": 200}, message="is too long (max 200)"
    )
    assert str(refused.value) == "name is too long (max 200)"


def test_conflicts(agency: Agency, acme: Reseller) -> None:
    agency.update_reseller(acme.id, name="Acme II")
    with pytest.raises(partnerkit.ConflictError) as conflict:
        agency.update_reseller(acme.id, 1, name="Acme III")
    assert (conflict.value.kind, conflict.value.current_version) == ("conflict", 2)


@pytest.mark.parametrize("id", [uuid4(), str(uuid4()), "", "no id", "\ud800"])
def test_what_is_not_there(agency: Agency, id: object) -> None:
    for call in (agency.reseller, agency.activate, agency.deactivate, agency.delete_reseller):
        with pytest.raises(LookupError) as missing:
            call(id)
        assert isinstance(missing.value, partnerkit.NotFoundError)
        assert str(missing.value) == "no such reseller"


def test_what_is_no_record_at_all(platform: Platform) -> None:
    with pytest.raises(partnerkit.NotFoundError):
        platform.agency("nowhere")
    with pytest.raises(partnerkit.NotFoundError):
        platform.resolve_host("nowhere.partner.example.com")
    assert codes(lambda: platform.create_agency("No", "Mars/Olympus")) == [
        ("id", "invalid"),
        ("time_zone", "unknown_time_zone"),
    ]


@pytest.mark.parametrize("url", ["", "resellers.db", "mysql://localhost/x"])
def test_a_store_that_cannot_be(url: str) -> None:
    with pytest.raises(partnerkit.ConfigurationError) as refused:
        Platform.open(url)
    assert refused.value.kind == "configuration"


def test_a_store_that_cannot_be_opened() -> None:
    with pytest.raises(partnerkit.StorageError):
        Platform.open("sqlite:/nowhere/at/all.db")
    with pytest.raises(partnerkit.ConfigurationError):
        Platform.open("memory:", login_base="not a domain")


def test_numbers_and_slugs_that_cannot_be(
    platform: Platform, agency: Agency, acme: Reseller
) -> None:
    id = acme.id
    assert codes(lambda: agency.consume(id, "messages", 2**63, "c")) == [
        ("quantity", "out_of_range")
    ]
    assert codes(lambda: agency.consume(id, "messages", -1, "c")) == [("quantity", "negative")]
    assert codes(lambda: agency.consume(id, "faxes", 1, "c")) == [("metric", "unknown_metric")]
    assert codes(lambda: agency.consume(id, "team_members", 1, "c")) == [
        ("metric", "not_a_counter")
    ]
    assert codes(lambda: agency.set_allowance(id, "messages", -1)) == [("limit", "negative")]
    assert codes(lambda: agency.page(status="sleepy")) == [("status", "invalid")]
    for beyond in (-1, 2**64):
        for call in (
            lambda beyond=beyond: agency.update_reseller(id, beyond, name="Acme II"),
            lambda beyond=beyond: agency.change_partner_type(id, "commission", beyond),
            lambda beyond=beyond: agency.rename_login_domain(id, "globex", beyond),
            lambda beyond=beyond: agency.configure(beyond, time_zone="UTC"),
        ):
            assert codes(call) == [("version", "out_of_range")]
        assert codes(lambda beyond=beyond: agency.changes(beyond)) == [
            ("after", "out_of_range")
        ]
        assert codes(lambda beyond=beyond: platform.maintain(beyond)) == [
            ("budget", "out_of_range")
        ]
    for amount in (2**63, -(2**63) - 1):
        assert codes(lambda amount=amount: agency.configure(capacity={"messages": amount})) == [
            ("capacity", "out_of_range")
        ]
    for limit in (0, -1, 201, 2**40, 2**70):
        assert codes(lambda limit=limit: agency.page(limit=limit)) == [
            ("limit", "out_of_range")
        ]
        assert codes(lambda limit=limit: agency.search(limit=limit).__next__()) == [
            ("limit", "out_of_range")
        ]


class Long(list[str]):
    """More than there is room for, if one believes it."""

    def __len__(self) -> int:
        return 10**12


def test_a_list_is_as_long_as_what_it_holds(platform: Platform, agency: Agency) -> None:
    for call in (
        lambda: Platform.open("memory:", reserve=range(10**12)),
        lambda: Platform.open("memory:", reserve_only=range(10**12)),
        lambda: Platform.open("memory:", reserve="vip"),
    ):
        with pytest.raises(TypeError):
            call()  # type: ignore[no-untyped-call]
    for labels in (range(10**12), ["vip"] * 100_001, "vip", 7, [7]):
        wrong = codes(lambda labels=labels: agency.configure(reserved_labels=labels))
        assert wrong == [("reserved_labels", "invalid")]
    for name in ("secrets", "peppers"):
        with pytest.raises(partnerkit.ConfigurationError):
            Platform.open("memory:", **{name: {1: range(10**12)}})
    assert agency.configure(reserved_labels=Long(["vip"])).reserved_labels == ("vip",)
    kept = Platform.open("memory:", reserve=Long(["vip"])).domain_availability("vip")
    assert kept.refused == "reserved"


def test_names_and_types_that_a_form_does_not_have(agency: Agency, acme: Reseller) -> None:
    def create(**changes: object) -> list[tuple[str, str]]:
        return codes(lambda: agency.create_reseller(**{**draft("globex"), **changes}))

    assert create(nmae="Acme") == [("nmae", "unknown_field")]
    contact = {"name": "Ann", "email": "ann@acme.example", "phone": "+49 30 901820", "nmae": ""}
    assert create(contact=contact) == [("contact.nmae", "unknown_field")]
    assert create(phone=4930901820, name=7, invite="yes") == [
        ("name", "invalid"),
        ("phone.number", "invalid"),
        ("password", "empty"),
        ("invite", "invalid"),
    ]
    assert create(metadata={"tier": None}) == [("metadata", "invalid")]
    assert create(metadata={1: "tier"}) == [("metadata", "invalid")]
    itself: list[object] = []
    itself.append(itself)
    assert create(contact=itself, external_id=b"7") == [
        ("contact", "invalid"),
        ("external_id", "invalid"),
    ]
    for change in ({"nmae": "Acme"}, {"login_domain": "other"}):
        assert codes(lambda change=change: agency.update_reseller(acme.id, **change)) == [
            (name, "unknown_field") for name in change
        ]
    assert agency.update_reseller(acme.id, name=None) == acme, "None leaves what is required"
    assert codes(
        lambda: agency.page(joined_from=1_773_576_000, limit=True, stauts="active")
    ) == [
        ("joined_from", "invalid"),
        ("limit", "invalid"),
        ("stauts", "unknown_field"),
    ]
    naive = datetime.now(UTC).replace(tzinfo=None)
    assert codes(lambda: agency.page(joined_before=naive)) == [("joined_before", "invalid")]


def test_a_phone_may_be_written_as_json_has_it(agency: Agency) -> None:
    number = "+14155552671"
    phones: list[object] = [
        number,
        ("US", "(415) 555-2671"),
        ["US", "(415) 555-2671"],
        {"country": "US", "number": "(415) 555-2671"},
        {"number": number},
    ]
    forms = [draft(f"a{letter}", phone=p) for letter, p in zip("bcdef", phones, strict=True)]
    assert [made.phone for made in agency.check_resellers(forms)] == [number] * len(phones)


def test_a_value_of_another_type_is_a_refused_field(
    platform: Platform, agency: Agency, acme: Reseller
) -> None:
    march, april = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    naive: Any = march.replace(tzinfo=None)
    text, whole = "is not valid: expected a text", "is not valid: expected a whole number"
    instant = "is not valid: expected an instant with its offset from UTC"
    metrics = "one of messages, whatsapp_messages, whatsapp_conversations, team_members"
    calls: list[tuple[Callable[[], object], str, str, str]] = [
        (lambda: agency.reseller(7), "id", "invalid", text),
        (lambda: agency.activate(None), "id", "empty", "is required"),
        (lambda: agency.deactivate(acme.id, 7), "reason", "invalid", text),
        (lambda: agency.consume(acme.id, "messages", "1", "c"), "quantity", "invalid", whole),
        (lambda: agency.consume(acme.id, "messages", True, "c"), "quantity", "invalid", whole),
        (lambda: agency.consume(acme.id, "faxes", 1, "c"), "metric", "unknown_metric", metrics),
        (lambda: agency.consume(acme.id, 7, 1, "c"), "metric", "invalid", text),
        (lambda: agency.set_allowance(acme.id, "messages", "5"), "limit", "invalid", whole),
        (lambda: agency.changes(limit=1.5), "limit", "invalid", whole),
        (lambda: agency.overview_between(naive, april), "start", "invalid", instant),
        (lambda: agency.usage(start=march, end="May"), "end", "invalid", instant),
        (
            lambda: agency.usage(start=march, end=april, metrics=["faxes"]),
            "metrics",
            "unknown_metric",
            metrics,
        ),
        (
            lambda: agency.usage(start=march, end=april, limit=-1),
            "limit",
            "out_of_range",
            "(min 1) (max 10000)",
        ),
        (lambda: platform.sign_in("acme", "a@b.example", ["x"]), "password", "invalid", text),
    ]
    for call, name, code, message in calls:
        with pytest.raises(partnerkit.ValidationError) as refused:
            call()
        (error,) = refused.value.errors
        assert (error.field, error.code) == (name, code)
        assert message in error.message


def test_what_only_a_program_can_have_given_is_named(agency: Agency) -> None:
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: agency.record_usage(7), "events"),
        (lambda: agency.create_resellers("forms"), "forms"),
        (lambda: agency.import_csv(None), "file"),
    ]
    for call, name in calls:
        with pytest.raises(TypeError, match=f"^{name}: "):
            call()


def test_an_event_has_no_other_names_than_an_event_has(agency: Agency, acme: Reseller) -> None:
    event = {"reseller": acme.id, "metric": "messages", "quantity": 1, "at": acme.created_at}
    events: list[Any] = [event | {"id": "e1", "colour": "red"}, event | {"id": "e2"}]
    outcomes = agency.record_usage(events).outcomes
    assert [(outcome.field, outcome.code) for outcome in outcomes] == [
        ("colour", "unknown_field"),
        (None, None),
    ]


def test_s32_what_python_alone_can_hold_is_an_events_own_rejection(
    agency: Agency, acme: Reseller
) -> None:
    class Index:
        def __index__(self) -> int:
            return 4

    good: dict[str, Any] = {
        "reseller": acme.id,
        "metric": partnerkit.Metric.MESSAGES,
        "quantity": 1,
        "at": acme.created_at,
    }
    given: list[tuple[dict[str, Any], tuple[str | None, str | None]]] = [
        ({"id": HALF}, ("id", "invalid")),
        ({"id": b"e"}, ("id", "invalid")),
        ({"reseller": HALF}, ("reseller", "invalid")),
        ({"reseller": str(acme.id)}, (None, None)),
        ({"metric": HALF}, ("metric", "invalid")),
        ({"metric": 1}, ("metric", "invalid")),
        ({"quantity": 2**63}, ("quantity", "out_of_range")),
        ({"quantity": 10**60}, ("quantity", "out_of_range")),
        ({"quantity": -(10**60)}, ("quantity", "negative")),
        ({"quantity": True}, ("quantity", "invalid")),
        ({"quantity": math.nan}, ("quantity", "invalid")),
        ({"quantity": Decimal(1)}, ("quantity", "invalid")),
        ({"quantity": Index()}, (None, None)),
        ({"at": datetime.now(UTC).replace(tzinfo=None)}, ("at", "invalid")),
        ({"at": datetime.now(UTC).date()}, ("at", "invalid")),
        ({"at": 1_773_576_000_000}, ("at", "invalid")),
        ({"at": datetime.max.replace(tzinfo=UTC)}, ("at", "in_the_future")),
        ({"at": datetime.min.replace(tzinfo=UTC)}, ("at", "too_old")),
    ]
    events = [
        UsageEvent(**(good | {"id": f"e-{n}"} | fields)) for n, (fields, _) in enumerate(given)
    ]
    report = agency.record_usage(events)
    assert [(outcome.field, outcome.code) for outcome in report.outcomes] == [
        expected for _, expected in given
    ]
    assert agency.overview().messages == 1 + 4


def test_events_may_be_what_json_has(agency: Agency, acme: Reseller) -> None:
    at = acme.created_at
    event = {"reseller": str(acme.id), "metric": "messages", "quantity": 2}
    texts = [
        at.isoformat(),
        at.isoformat().replace("+00:00", "Z"),
        at.isoformat()[:-6],
        at.date(),
    ]
    events: list[Any] = [event | {"id": f"e-{n}", "at": text} for n, text in enumerate(texts)]
    events.append(types.MappingProxyType(event | {"id": "e-4", "at": at}))
    outcomes = agency.record_usage(events).outcomes
    wrong = ("at", "invalid")
    expected = [(None, None), (None, None), wrong, wrong, (None, None)]
    assert [(outcome.field, outcome.code) for outcome in outcomes] == expected
    assert agency.overview().messages == 6
    assert [r.id for r in agency.search(joined_from=at.isoformat())] == [acme.id]  # type: ignore[arg-type]


def test_what_is_no_event_is_its_own_rejection(agency: Agency) -> None:
    for wrong in (7, None, "event", {"id": "e"}):
        with pytest.raises(TypeError, match=r"^events: "):
            agency.record_usage(wrong)  # type: ignore[arg-type]
    nothing: list[Any] = [7, "event", None, [], {}, {"name": "e"}]
    outcomes = agency.record_usage(nothing).outcomes
    assert [(outcome.field, outcome.code) for outcome in outcomes] == [("id", "empty")] * 6

    class Broken:
        @property
        def id(self) -> str:
            raise RuntimeError("the host's own")

    with pytest.raises(RuntimeError, match="own"):
        agency.record_usage([Broken()])  # type: ignore[list-item]


def test_text_that_is_no_text_is_refused_without_showing_it(agency: Agency) -> None:
    secret = PASSWORD + "\ud800"
    wrong = draft_with_password("acme", password=secret)
    with pytest.raises(partnerkit.ValidationError) as refused:
        agency.create_reseller(**wrong)
    assert [(e.field, e.code) for e in refused.value.errors] == [("password", "invalid")]
    assert "walrus" not in repr(refused.value) + repr(refused.value.__context__)


HALF = "walrus\ud800"
"""What Python calls text, with half a character in it, which is no text to the core."""


def test_what_is_no_text_is_told_beside_the_rest_of_a_form(agency: Agency) -> None:
    contact = {"name": HALF, "email": "x", "phone": ("US", HALF)}
    form: dict[str, object] = {
        "name": HALF,
        "email": "x",
        "phone": HALF,
        "contact": contact,
        "website": HALF,
        "metadata": {"tier": HALF},
    }
    expected = [
        ("name", "invalid"),
        ("email", "invalid"),
        ("phone.number", "invalid"),
        ("contact.name", "invalid"),
        ("contact.email", "invalid"),
        ("contact.phone.number", "invalid"),
        ("website", "invalid"),
        ("external_id", "too_long"),
        ("metadata", "invalid"),
    ]
    form = draft("acme", **form, external_id="x" * 300)
    assert codes(lambda: agency.create_reseller(**form)) == expected
    (answer,) = agency.create_resellers([form])
    assert isinstance(answer, partnerkit.ValidationError)
    assert [(error.field, error.code) for error in answer.errors] == expected
    key = ("idempotency_key", "invalid")
    assert codes(lambda: agency.create_reseller(idempotency_key=HALF, **form)) == [
        *expected,
        key,
    ]
    assert codes(lambda: agency.create_reseller(idempotency_key=HALF, **draft("acme"))) == [key]
    assert agency.overview().active_resellers == 0
    acme = agency.create_reseller(idempotency_key="key", **draft("acme"))
    patch = {name: form[name] for name in ("name", "email", "contact", "website", "metadata")}
    refused = codes(lambda: agency.update_reseller(acme.id, **patch))
    assert sorted(refused) == sorted(
        error for error in expected if error[0] not in ("phone.number", "external_id")
    )
    with_half = draft("acme", metadata={"tier": HALF})
    assert codes(lambda: agency.create_reseller(idempotency_key="key", **with_half)) == [
        ("metadata", "invalid")
    ], "a form that says nothing else is not a repeated one"
    assert agency.reseller(acme.id) == acme


def test_what_is_no_text_is_refused_in_every_argument(
    platform: Platform, agency: Agency, acme: Reseller
) -> None:
    new = {"password": HALF, "password_confirmation": HALF}
    passwords = [("password", "invalid")]
    calls: list[tuple[Callable[[], object], list[tuple[str, str]]]] = [
        (lambda: agency.page(HALF), [("text", "invalid")]),
        (lambda: agency.search(HALF), [("text", "invalid")]),
        (lambda: agency.export_csv(io.BytesIO(), HALF), [("text", "invalid")]),
        (lambda: agency.page(status=HALF), [("status", "invalid")]),
        (lambda: agency.page(sort=HALF), [("sort", "invalid")]),
        (lambda: agency.acting_as(HALF), [("actor", "control_character")]),
        (lambda: agency.deactivate(acme.id, HALF), [("reason", "control_character")]),
        (lambda: agency.reseller_by_external_id(HALF), [("external_id", "control_character")]),
        (lambda: agency.consume(acme.id, "messages", 1, HALF), [("id", "control_character")]),
        (lambda: agency.consume(acme.id, HALF, 1, "c"), [("metric", "unknown_metric")]),
        (lambda: agency.change_partner_type(acme.id, HALF), [("partner_type", "invalid")]),
        (
            lambda: agency.rename_login_domain(acme.id, HALF),
            [("login_domain", "special_character")],
        ),
        (lambda: agency.set_password(acme.id, **new), passwords),
        (lambda: agency.configure(time_zone=HALF), [("time_zone", "invalid")]),
        (lambda: agency.configure(capacity={HALF: 1}), [("capacity", "invalid")]),
        (lambda: agency.configure(reserved_labels=[HALF]), [("reserved_labels", "invalid")]),
        (lambda: platform.agencies(HALF), [("after", "invalid")]),
        (
            lambda: platform.create_agency(HALF, HALF),
            [("id", "invalid"), ("time_zone", "unknown_time_zone")],
        ),
        (lambda: partnerkit.national_format(HALF), [("phone", "invalid")]),
    ]
    for call, expected in calls:
        with pytest.raises(partnerkit.ValidationError) as refused:
            call()
        assert [(error.field, error.code) for error in refused.value.errors] == expected
        assert "walrus" not in "".join(traceback.format_exception(refused.value, limit=0))
    for call in (platform.agency, platform.preview_agency_deletion, platform.delete_agency):
        with pytest.raises(partnerkit.NotFoundError):
            call(HALF)
    assert codes(lambda: agency.page(after=HALF)) == [("after", "invalid")]
    for open in (
        lambda: Platform.open("sqlite:" + HALF),
        lambda: Platform.open("memory:", login_base=HALF),
        lambda: Platform.open("memory:", reserve=[HALF]),
        lambda: Platform.open("memory:", sign_in_limit=-1),
    ):
        with pytest.raises(partnerkit.ConfigurationError) as wrong:
            open()
        assert "walrus" not in str(wrong.value)


def test_no_repr_shows_a_secret(platform: Platform, agency: Agency) -> None:
    agency.create_reseller(**draft_with_password("acme"))
    access = platform.sign_in("acme", "owner@acme.example", PASSWORD)
    shown = "".join(map(repr, (access, access.reseller, platform, agency, agency.search())))
    generation = access.stamp.rsplit(".", 1)[1]
    for secret in (access.stamp, generation, PASSWORD, "argon2"):
        assert secret not in shown
    for call in (
        lambda: platform.sign_in("acme", "owner@acme.example", PASSWORD + "!"),
        lambda: platform.check_access(access.stamp + "x", None),
        lambda: agency.create_reseller(**draft_with_password("acme", name="")),
    ):
        with pytest.raises(partnerkit.PartnerKitError) as refused:
            call()
        assert "walrus" not in str(refused.value)
        assert generation not in str(refused.value)


def test_a_panic_is_an_exception_and_the_next_call_works(agency: Agency) -> None:
    with pytest.raises(partnerkit.InternalError, match=r"^a defect$") as panic:
        _native.panic_for_tests("a defect")
    assert panic.value.kind == "internal"
    assert isinstance(panic.value, Exception)
    assert agency.overview().messages == 0


def test_each_kind_has_one_class() -> None:
    others = {"Code", "FieldError"}
    classes = [getattr(errors, name) for name in errors.__all__ if name not in others]
    kinds = [cls.kind for cls in classes if cls is not partnerkit.PartnerKitError]
    assert len(set(kinds)) == len(kinds) == 14
    for cls in classes:
        assert issubclass(cls, partnerkit.PartnerKitError)
        assert type(errors._from_core(cls.kind, "m", [], None, None)) in (
            cls,
            errors.InternalError,
        )


@pytest.mark.parametrize("clock", [7, lambda: 7, lambda: datetime.now(), lambda: 1 / 0])
def test_a_clock_that_tells_no_time_is_refused(clock: Any) -> None:
    with pytest.raises(partnerkit.ConfigurationError, match=r"^clock: ") as wrong:
        Platform.open("memory:", clock=clock)
    assert wrong.value.__cause__ is not None


def test_a_verifier_that_verifies_nothing_is_refused() -> None:
    with pytest.raises(partnerkit.ConfigurationError, match="legacy_verifier: "):
        Platform.open("memory:", legacy_verifier=7)  # type: ignore[arg-type]


def test_a_setting_of_another_type_is_named() -> None:
    wrong: dict[str, Any] = {
        "sign_in_limit": "7",
        "login_base": 7,
        "reserve": "vip",
        "hashing": 7,
    }
    for name, value in wrong.items():
        with pytest.raises(TypeError, match=f"^{name}: "):
            Platform.open("memory:", **{name: value})
    nothing: dict[str, Any] = dict.fromkeys(partnerkit.Settings.__optional_keys__)
    assert Platform.open("memory:", **nothing).agencies() == []


def test_a_name_of_half_a_character_is_no_field() -> None:
    agency = Platform.open("memory:").ensure_agency("northwind")
    for call in (agency.create_reseller, agency.page):
        with pytest.raises(partnerkit.ValidationError) as refused:
            call(**{"\ud800": 1})  # type: ignore[operator]
        assert ("\ufffd\ufffd\ufffd", "unknown_field") in [
            (error.field, error.code) for error in refused.value.errors
        ]
