"""The public names, over the stores that the library brings along."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

import partnerkit
from partnerkit import Agency, Metric, Platform, Reseller, Status, UsageEvent

from conftest import require_postgres
from forms import PASSWORD, draft, draft_with_password
from hosting import POSTGRES_URL, together


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "memory":
        yield "memory:"
    elif request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'resellers.db'}"
    else:
        require_postgres()
        assert POSTGRES_URL
        name = f"partnerkit_api_{uuid4().hex}"
        with psycopg.connect(POSTGRES_URL, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
            yield f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}"
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def platform(url: str) -> Platform:
    return Platform.open(url, login_base="partner.example.com")


def event(id: str, reseller: Reseller, quantity: int = 1, **fields: object) -> UsageEvent:
    given = {"metric": Metric.MESSAGES, "at": datetime.now(UTC), **fields}
    return UsageEvent(id=id, reseller=reseller.id, quantity=quantity, **given)


def test_a_reseller_is_returned_in_pythons_own_types(agency: Agency) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    acme = agency.create_reseller(
        **draft("acme", website="acme.example", external_id="crm-7", metadata={"tier": "gold"})
    )
    assert isinstance(acme.id, UUID)
    assert acme.id.version == 7
    assert acme.created_at.tzinfo is UTC
    assert before <= acme.created_at <= datetime.now(UTC)
    assert acme.created_at.microsecond % 1_000 == 0
    assert acme.status is Status.ACTIVE
    assert acme.status == "active"
    assert f"{acme.partner_type}" == "own_plans"
    assert acme.phone == "+14155552671"
    assert acme.contact == partnerkit.ContactPerson(
        name="Ann Lee", email="ann@contact.example", phone="+4930901820"
    )
    assert (acme.website, acme.external_id) == ("https://acme.example/", "crm-7")
    assert acme.metadata == {"tier": "gold"}
    assert acme.agency == agency.id == "northwind"
    assert agency.reseller(acme.id) == agency.reseller(str(acme.id)) == acme
    assert agency.reseller_by_external_id("crm-7") == acme
    assert agency.reseller_by_external_id("crm-8") is None


def test_records_are_values(acme: Reseller) -> None:
    with pytest.raises(AttributeError):
        acme.name = "Another"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(acme)) == copy.deepcopy(acme) == acme
    assert len({acme, acme}) == 1


def test_a_contact_may_be_a_record(agency: Agency) -> None:
    contact = partnerkit.ContactDraft(
        name="Zoë", email="zoe@contact.example", phone=("DE", "030 901820")
    )
    acme = agency.create_reseller(**draft("acme", contact=contact))
    assert acme.contact.phone == "+4930901820"
    globex = agency.create_reseller(**draft("globex", contact=acme.contact))
    assert globex.contact == acme.contact


def test_a_patch_leaves_clears_and_sets(agency: Agency) -> None:
    acme = agency.create_reseller(**draft("acme", website="acme.example", external_id="a"))
    changed = agency.update_reseller(acme.id, acme.version, name="Acme II", website=None)
    assert (changed.name, changed.website, changed.external_id) == ("Acme II", None, "a")
    assert changed.version == acme.version + 1
    assert agency.update_reseller(acme.id) == changed, "nothing given is nothing changed"


def test_an_inactive_reseller(agency: Agency, acme: Reseller) -> None:
    off = agency.acting_as("user-42").deactivate(acme.id, "nonpayment")
    assert (off.status, off.deactivation_reason) == (Status.INACTIVE, "nonpayment")
    assert agency.deactivate(acme.id) == off
    assert agency.activate(acme.id).status is Status.ACTIVE
    agency.delete_reseller(acme.id)
    with pytest.raises(partnerkit.NotFoundError):
        agency.reseller(acme.id)
    changes = agency.changes()
    assert [change.sequence for change in changes] == [1, 2, 3, 4, 5]
    assert [change.kind for change in changes[2:]] == [
        partnerkit.ChangeKind.RESELLER_DEACTIVATED,
        partnerkit.ChangeKind.RESELLER_ACTIVATED,
        partnerkit.ChangeKind.RESELLER_DELETED,
    ]
    assert (changes[2].actor, changes[3].actor) == ("user-42", None)
    assert changes[2].reseller == acme.id
    assert agency.changes(after=4, limit=1) == [changes[4]]


def test_signing_in(platform: Platform, agency: Agency) -> None:
    acme = agency.create_reseller(**draft_with_password("acme"))
    place = platform.resolve_host("Acme.partner.example.com:443")
    assert place == partnerkit.ResolvedHost(
        agency="northwind", reseller=acme.id, login_domain="acme", status=Status.ACTIVE
    )
    access = platform.sign_in("acme", "OWNER@acme.example", PASSWORD)
    assert access.reseller == acme
    assert platform.check_access(access.stamp, None) == partnerkit.Identity(
        agency="northwind", reseller=acme.id
    )
    agency.deactivate(acme.id)
    for refused in (
        lambda: platform.check_access(access.stamp, None),
        lambda: platform.sign_in("acme", "owner@acme.example", PASSWORD),
        lambda: platform.sign_in("globex", "owner@acme.example", PASSWORD),
        lambda: platform.sign_in("\ud800", "\ud800", "\ud800"),
    ):
        with pytest.raises(partnerkit.AccessDeniedError, match=r"^access denied$"):
            refused()


def test_s15_a_password_is_set_changed_and_reset(platform: Platform, agency: Agency) -> None:
    acme = agency.create_reseller(**draft("acme"))
    first, second, third = (
        f"{color} teal walrus 94 umbrella" for color in ("red", "sea", "sky")
    )

    def new(password: str) -> dict[str, str]:
        return {"password": password, "password_confirmation": password}

    def sign_in(password: str) -> partnerkit.Access:
        return platform.sign_in("acme", "owner@acme.example", password)

    agency.set_password(acme.id, **new(first))
    stamp = sign_in(first).stamp
    agency.revoke_access(acme.id)
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.check_access(stamp, None)
    with pytest.raises(partnerkit.AccessDeniedError):
        agency.change_password(acme.id, current="wrong", **new(second))
    agency.change_password(acme.id, current=first, **new(second))
    agency.unlock(acme.id)
    token = agency.reset_token(acme.id)
    platform.reset_password(token, **new(third))
    assert sign_in(third).reseller == acme
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.reset_password(token, **new(first))
    with pytest.raises(partnerkit.ValidationError) as refused:
        agency.set_password(acme.id, password="shortest", password_confirmation="\ud800")
    assert "shortest" not in str(refused.value)
    kinds = [change.kind for change in agency.changes()][2:]
    assert kinds == [
        "password_changed",
        "access_revoked",
        "password_changed",
        "sign_in_unlocked",
        "password_changed",
    ]


def test_s6_s7_a_login_domain_is_looked_for_and_renamed(
    platform: Platform, agency: Agency
) -> None:
    acme = agency.create_reseller(**draft("acme"))
    taken = platform.domain_availability("acme")
    assert (taken.available, taken.refused, len(taken.suggestions)) == (False, "taken", 5)
    free = taken.suggestions[0]
    assert platform.domain_availability(free) == partnerkit.DomainAvailability(suggestions=())
    renamed = agency.rename_login_domain(acme.id, free, version=1)
    assert (renamed.id, renamed.login_domain, renamed.version) == (acme.id, free, 2)
    with pytest.raises(partnerkit.ConflictError):
        agency.rename_login_domain(acme.id, "another", version=1)
    assert platform.domain_availability("acme").refused == "quarantined"
    assert platform.domain_availability("\ud800").refused == "special_character"


def test_pages_and_searches(agency: Agency) -> None:
    labels = ["acme" + letter for letter in "abcdefg"]
    for label in labels:
        agency.create_reseller(**draft(label))
    found = agency.search(limit=3)
    assert iter(found) is found
    walked = [reseller.login_domain for reseller in found]
    assert sorted(walked) == labels
    assert list(found) == [], "an iterator that has ended stays so"
    page = agency.page(limit=3)
    assert [r.login_domain for r in page.resellers] == walked[:3]
    following = agency.page(limit=3, after=page.next)
    assert [r.login_domain for r in following.resellers] == walked[3:6]
    assert agency.page(limit=3, after=following.next).next is None
    (acmea,) = agency.search("THE acmea")
    agency.deactivate(acmea.id)
    assert [r.login_domain for r in agency.search(status=Status.INACTIVE)] == ["acmea"]
    assert [r.login_domain for r in agency.search("acme compan", status="active", limit=1)] == [
        label for label in walked if label != "acmea"
    ]
    assert list(agency.search("acme%")) == []
    with pytest.raises(partnerkit.InvalidCursorError):
        agency.page("another query", after=page.next)


def test_a_search_serves_many_threads(agency: Agency) -> None:
    for letter in "abcdefgh":
        agency.create_reseller(**draft("acme" + letter))
    found = agency.search(limit=2)
    walked = together(4, lambda _: [reseller.id for reseller in found])
    assert len({id for part in walked for id in part}) == sum(map(len, walked)) == 8


def test_a_platform_is_closed_at_the_end_of_a_with_statement(tmp_path: Path) -> None:
    file = tmp_path / "resellers.db"
    with Platform.open(file) as platform:
        agency = platform.ensure_agency("northwind")
        assert file.with_name("resellers.db-wal").exists()
    assert not file.with_name("resellers.db-wal").exists()
    for call in (agency.overview, agency.page, platform.agencies):
        with pytest.raises(partnerkit.ConfigurationError, match="closed"):
            call()
    platform.close()
    with pytest.raises(ZeroDivisionError), Platform.open(file) as platform:
        1 / 0  # noqa: B018
    assert not file.with_name("resellers.db-wal").exists()


def test_usage(agency: Agency, acme: Reseller) -> None:
    first = event("e-1", acme, 3)
    report = agency.record_usage(
        [
            first,
            first,
            event("e-1", acme, 4),
            event("e-2", acme, 5, metric="team_members"),
            event("e-3", acme, -1),
            event("e-4", acme, at=first.at + timedelta(days=1)),
        ]
    )
    assert [(outcome.kind, outcome.code) for outcome in report.outcomes] == [
        ("accepted", None),
        ("duplicate", None),
        ("conflict", None),
        ("accepted", None),
        ("rejected", "negative"),
        ("rejected", "in_the_future"),
    ]
    assert report.accepted == 2
    assert agency.overview() == partnerkit.Overview(
        active_resellers=1,
        messages=3,
        whatsapp_messages=0,
        whatsapp_conversations=0,
        team_members=5,
    )
    assert agency.record_usage(iter([])).outcomes == ()


def test_the_time_of_an_event_is_kept_to_the_millisecond(
    agency: Agency, acme: Reseller
) -> None:
    at = datetime.now(UTC).replace(microsecond=123_456)
    elsewhere = at.astimezone(timezone(timedelta(hours=5, minutes=45)))
    kinds = [
        agency.record_usage([event("e", acme, at=given)]).outcomes[0].kind
        for given in (at, at.replace(microsecond=123_999), elsewhere, at.replace(microsecond=0))
    ]
    assert kinds == ["accepted", "duplicate", "duplicate", "conflict"]


def test_consuming(agency: Agency, acme: Reseller) -> None:
    agency.set_allowance(acme.id, Metric.MESSAGES, 5)
    granted = agency.consume(acme.id, "messages", 4, "c-1")
    assert granted
    assert (granted.used, granted.limit, granted.requested) == (4, 5, 4)
    assert not granted.duplicate
    assert granted.reason is None
    assert granted.resets_at > datetime.now(UTC)
    assert (granted.resets_at.day, granted.resets_at.hour) == (1, 0)
    assert agency.consume(acme.id, "messages", 4, "c-1").duplicate
    denied = agency.consume(acme.id, "messages", 2, "c-2")
    assert not denied
    assert denied.reason is partnerkit.DenialReason.LIMIT_REACHED
    assert (denied.used, denied.limit, denied.requested) == (4, 5, 2)
    agency.set_allowance(acme.id, Metric.MESSAGES, None)
    assert agency.consume(acme.id, "messages", 2**62, "c-2").used == 2**62 + 4


def test_a_month_is_one_of_the_agencys_time_zone(platform: Platform) -> None:
    agency = platform.create_agency("tailspin", "Asia/Kathmandu")
    acme = agency.create_reseller(**draft("globex"))
    resets_at = agency.consume(acme.id, Metric.MESSAGES, 1, "c").resets_at
    assert (resets_at.hour, resets_at.minute) == (18, 15), "midnight is 5:45 ahead"


def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'resellers.db'}"
    acme = Platform.open(url).create_agency("northwind").create_reseller(**draft("acme"))
    assert Platform.open(url).agency("northwind").reseller(acme.id) == acme


def test_countries_for_a_form() -> None:
    countries = {country.code: country for country in partnerkit.phone_countries()}
    assert countries["DE"].calling_code == 49
    assert countries["DE"].example
    assert len(countries) > 200


def test_s11_a_phone_in_its_countrys_form(acme: Reseller) -> None:
    assert partnerkit.national_format(acme.phone) == "(415) 555-2671"
    assert partnerkit.national_format(acme.contact.phone) == "030 901820"
    with pytest.raises(partnerkit.ValidationError) as refused:
        partnerkit.national_format("(415) 555-2671")
    assert [(e.field, e.code) for e in refused.value.errors] == [("phone", "invalid")]


def test_every_field_code_has_a_text(agency: Agency) -> None:
    texts = {code.slug: code.text for code in partnerkit.field_codes()}
    assert len(texts) == len(partnerkit.field_codes()) > 30
    with pytest.raises(partnerkit.ValidationError) as refused:
        agency.create_reseller(**draft("Acme", name="", email="x"))
    for error in refused.value.errors:
        assert error.message.startswith(texts[error.code])


def test_other_threads_run_meanwhile(platform: Platform) -> None:
    agencies = together(8, lambda n: platform.create_agency(f"agency-{n}").id)
    assert agencies == [f"agency-{n}" for n in range(8)]


def test_a_path_is_that_of_a_sqlite_file(tmp_path: Path) -> None:
    file = tmp_path / "odd?name.db"
    Platform.open(file).create_agency("northwind")
    assert file.exists()
    assert Platform.open(file).agencies() == ["northwind"]


def test_an_exception_knows_its_http_status(agency: Agency) -> None:
    with pytest.raises(partnerkit.NotFoundError) as missing:
        agency.reseller("no id")
    assert missing.value.http_status == 404
    kinds = {error.kind for error in vars(partnerkit.errors).values() if hasattr(error, "kind")}
    told = partnerkit._native.http_statuses()
    assert kinds == {*told, "internal"}
