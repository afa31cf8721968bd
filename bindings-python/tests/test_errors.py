"""Every error is an exception of its own, and none tells a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
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
    assert error == partnerkit.FieldError("name", "too_long", {"max": 200}, "is too long")
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


def test_numbers_and_slugs_that_cannot_be(agency: Agency, acme: Reseller) -> None:
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
    for limit in (0, -1, 201, 2**40, 2**70):
        assert codes(lambda limit=limit: agency.page(limit=limit)) == [
            ("limit", "out_of_range")
        ]
        assert codes(lambda limit=limit: agency.search(limit=limit).__next__()) == [
            ("limit", "out_of_range")
        ]


def test_names_and_types_that_mean_nothing(agency: Agency, acme: Reseller) -> None:
    for call in (
        lambda: agency.create_reseller(nmae="Acme"),
        lambda: agency.create_reseller(**draft("a", contact={"nmae": "Ann"})),
        lambda: agency.create_reseller(**draft("a", phone=4930901820)),
        lambda: agency.update_reseller(acme.id, nmae="Acme"),
        lambda: agency.update_reseller(acme.id, name=None),
        lambda: agency.update_reseller(acme.id, login_domain="other"),
        lambda: agency.reseller(7),
        lambda: agency.consume(acme.id, "messages", "1", "c"),
    ):
        with pytest.raises(TypeError):
            call()
    naive = datetime.now(UTC).replace(tzinfo=None)
    event = UsageEvent(id="e", reseller=acme.id, metric="messages", quantity=1, at=naive)
    with pytest.raises(ValueError, match="aware"):
        agency.record_usage([event])


def test_text_that_is_no_text_is_refused_without_showing_it(agency: Agency) -> None:
    secret = PASSWORD + "\ud800"
    wrong = draft_with_password("acme", password=secret)
    with pytest.raises(partnerkit.ValidationError) as refused:
        agency.create_reseller(**wrong)
    assert [(e.field, e.code) for e in refused.value.errors] == [("password", "invalid")]
    assert "walrus" not in repr(refused.value) + repr(refused.value.__context__)


def test_no_repr_shows_a_secret(platform: Platform, agency: Agency) -> None:
    agency.create_reseller(**draft_with_password("acme"))
    access = platform.sign_in("acme", "owner@acme.example", PASSWORD)
    shown = "".join(map(repr, (access, access.reseller, platform, agency, agency.search())))
    generation = access.stamp.rsplit(".", 1)[1]
    for secret in (access.stamp, generation, PASSWORD, "argon2"):
        assert secret not in shown
    for call in (
        lambda: platform.sign_in("acme", "owner@acme.example", PASSWORD + "!"),
        lambda: platform.check_access(access.stamp + "x"),
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
    classes = [getattr(errors, name) for name in errors.__all__ if name != "FieldError"]
    kinds = [cls.kind for cls in classes if cls is not partnerkit.PartnerKitError]
    assert len(set(kinds)) == len(kinds) == 14
    for cls in classes:
        assert issubclass(cls, partnerkit.PartnerKitError)
        assert type(errors._from_core(cls.kind, "m", [], None, None)) in (cls, errors.InternalError)
