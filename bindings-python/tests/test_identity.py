"""Agencies, idempotency keys, bulk, files, lists, upkeep and settings, as Python sees them."""

from __future__ import annotations

import _thread
import functools
import io
import itertools
import signal
import sys
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import partnerkit
from partnerkit import Platform

from forms import PASSWORD, draft, draft_with_password

DAY = timedelta(days=1)


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 15, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


def northwind(**settings: object) -> tuple[Platform, partnerkit.Agency]:
    platform = Platform.open("memory:", **settings)  # type: ignore[arg-type]
    return platform, platform.create_agency("northwind")


def test_s56_agencies_are_configured_listed_and_deleted() -> None:
    platform, agency = northwind()
    before = agency.settings()
    assert (before.agency, before.version, before.time_zone) == ("northwind", 1, "UTC")
    after = agency.configure(
        1, time_zone="Asia/Tokyo", capacity={"messages": 10}, reserved_labels=["contoso"]
    )
    assert (after.version, after.time_zone, after.reserved_labels) == (
        2,
        "Asia/Tokyo",
        ("contoso",),
    )
    assert after.capacity == {"messages": 10}
    with pytest.raises(partnerkit.ConflictError):
        agency.configure(1, time_zone="UTC")
    with pytest.raises(partnerkit.ValidationError) as refused:
        agency.configure(time_zone="Mars/Base", capacity={"sms": 1})
    assert [e.code for e in refused.value.errors] == ["unknown_time_zone", "unknown_metric"]
    platform.create_agency("tailspin")
    assert platform.agencies() == ["northwind", "tailspin"]
    assert platform.agencies("northwind", 1) == ["tailspin"]
    agency.create_reseller(**draft("acme"))
    assert platform.preview_agency_deletion("northwind").resellers == 1
    assert platform.delete_agency("northwind") is partnerkit.Erasure.COMPLETE
    with pytest.raises(partnerkit.NotFoundError):
        platform.agency("northwind")


def test_s23_a_repeated_create_is_answered_as_the_first() -> None:
    _, agency = northwind()
    acme = agency.create_reseller(idempotency_key="key-1", **draft("acme"))
    assert agency.create_reseller(idempotency_key="key-1", **draft("acme")) == acme
    with pytest.raises(partnerkit.ConflictError) as reused:
        agency.create_reseller(idempotency_key="key-1", **draft("globex"))
    assert reused.value.current_version is None


def test_many_are_created_at_once() -> None:
    _, agency = northwind()
    forms = [draft("acme"), draft("Globex"), draft("acme")]
    checked = agency.check_resellers(forms)
    answers = agency.create_resellers(forms)
    assert isinstance(answers[0], partnerkit.Reseller)
    assert isinstance(checked[0], partnerkit.Reseller)
    for wrong in (answers[1], checked[1]):
        assert isinstance(wrong, partnerkit.ValidationError)
        assert [(e.field, e.code) for e in wrong.errors] == [("login_domain", "uppercase")]
    assert agency.overview().active_resellers == 1


def test_s48_files_come_in_and_go_out(tmp_path: Path) -> None:
    _, agency = northwind()
    agency.create_reseller(**draft("acme", name="=1+1"))
    agency.create_reseller(**draft("globex"))
    out = io.BytesIO()
    assert agency.export_csv(out, sort="name") == 2
    assert b"'=1+1" in out.getvalue()
    path = tmp_path / "resellers.csv"
    assert agency.export_csv(path, "globex") == 1

    _, elsewhere = northwind()
    rows: list[partnerkit.RowReport] = []
    file = out.getvalue() + b"own_plans\n"
    dry = elsewhere.import_csv(io.BytesIO(file), dry_run=True)
    assert (dry.created, dry.existing, dry.rejected) == (2, 0, 1)
    done = elsewhere.import_csv(io.BytesIO(file), each=rows.append)
    assert (done.created, done.existing, done.rejected) == (2, 0, 1)
    assert [row.kind for row in rows] == ["created", "created", "rejected"]
    assert [(e.field, e.code) for e in rows[2].errors] == [("row", "invalid")]
    assert elsewhere.import_csv(path).existing == 1
    assert {r.name for r in elsewhere.search()} == {"=1+1", "The globex company"}
    with pytest.raises(FileNotFoundError):
        elsewhere.import_csv(tmp_path / "nothing.csv")

    class Broken:
        def read(self, _size: int) -> bytes:
            raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"):
        elsewhere.import_csv(Broken())
    with pytest.raises(partnerkit.ValidationError) as refused:
        elsewhere.import_csv(io.BytesIO(b"favourite colour\n"))
    assert ("columns", "unknown_column") in [(e.field, e.code) for e in refused.value.errors]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, ValueError])
def test_s48_what_each_raises_ends_an_import(interrupt: type[BaseException]) -> None:
    _, agency = northwind()
    out = io.BytesIO()
    for n in range(40):
        labels = [
            "a" + chr(97 + n // 26) + chr(97 + n % 26) + chr(97 + m) * 3 for m in range(26)
        ]
        agency.create_resellers([draft(label) for label in labels])
    assert agency.export_csv(out) == 1_040

    class File(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size)

    told: list[partnerkit.RowReport] = []

    def interrupted(row: partnerkit.RowReport) -> None:
        told.append(row)
        if len(told) == 3:
            raise interrupt

    _, elsewhere = northwind()
    file = File(out.getvalue())
    with pytest.raises(interrupt):
        elsewhere.import_csv(file, each=interrupted)
    assert len(told) == 3
    reads = file.reads
    left = len(file.read())
    assert left > len(out.getvalue()) // 3, "the rest of the file was not read"
    assert elsewhere.overview().active_resellers == 500, "nor was another step begun"
    assert reads > 1
    assert elsewhere.import_csv(io.BytesIO(out.getvalue())).existing == 500


def test_s48_a_signal_ends_an_import() -> None:
    _, agency = northwind()
    out = io.BytesIO()
    agency.create_reseller(**draft("acme"))
    agency.export_csv(out)

    class Signalled(Exception): ...

    def handle(*_: object) -> None:
        raise Signalled

    # The signal comes while the file gives its row: `interrupt_main` answers None, so the filter
    # passes the row on. All of this is C, so nobody but the library looks at signals.
    row = {signal.SIGUSR1: out.getvalue()}
    signalled = itertools.filterfalse(_thread.interrupt_main, row)
    answers = itertools.chain(map(row.__getitem__, signalled), itertools.repeat(b""))

    # Called with a size, which is what `next` would give behind the last of them.
    file = types.SimpleNamespace(read=functools.partial(next, answers))
    _, elsewhere = northwind()
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(Signalled):
            elsewhere.import_csv(file)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert elsewhere.overview().active_resellers == 0


def test_s28_lists_are_filtered_sorted_and_counted() -> None:
    clock = Clock()
    _, agency = northwind(clock=clock)
    for label in ("delta", "acme", "bravo"):
        agency.create_reseller(**draft(label))
        clock.at += DAY
    (bravo,) = agency.search("bravo")
    sells = agency.change_partner_type(bravo.id, "commission", bravo.version)
    assert sells.partner_type is partnerkit.PartnerType.COMMISSION
    names = [r.login_domain for r in agency.search(sort="name", limit=1)]
    assert names == ["acme", "bravo", "delta"]
    assert [r.login_domain for r in agency.search(sort="email", descending=True)] == names[::-1]
    assert [r.login_domain for r in agency.search(descending=False)] == [
        "delta",
        "acme",
        "bravo",
    ]
    assert [r.id for r in agency.search(partner_type="commission")] == [bravo.id]
    assert [r.id for r in agency.search(joined_from=bravo.created_at)] == [bravo.id]
    page = agency.page(with_total=True, limit=2, joined_before=bravo.created_at)
    assert page.total == partnerkit.Total(count=2, exact=True)
    for wrong in ({"sort": "size"}, {"partner_type": "friend"}):
        with pytest.raises(partnerkit.ValidationError):
            agency.page(**wrong)  # type: ignore[arg-type]
    with pytest.raises(partnerkit.ValidationError, match="colour is not a known field"):
        agency.page(colour="red")  # type: ignore[call-arg]


def test_s46_s51_deletion_is_planned_and_upkeep_cleans_up() -> None:
    clock = Clock()
    platform, agency = northwind(clock=clock, quarantine=1)
    acme = agency.create_reseller(**draft("acme"))
    plan = agency.preview_deletion(acme.id)
    assert (plan.login_domain, plan.quarantined_until) == ("acme", clock.at + DAY)
    assert agency.delete_reseller(acme.id) is partnerkit.Erasure.COMPLETE
    assert platform.domain_availability("acme").refused == "quarantined"
    clock.at += DAY
    done = platform.maintain()
    assert (done.removed, done.finished) == (1, True)
    assert platform.domain_availability("acme").available
    _, forever = northwind(quarantine="never")
    acme = forever.create_reseller(**draft("acme"))
    assert forever.preview_deletion(acme.id).quarantined_until is None


def test_s2_s4_login_domains_follow_the_policy() -> None:
    platform, agency = northwind(login_domains="dns", reserve=["contoso"])
    agency.create_reseller(**draft("acme", login_domain="acme-24"))
    assert platform.resolve_host("acme-24.partner.localhost").agency == "northwind"
    assert platform.domain_availability("-x").refused == "hyphen"
    assert platform.domain_availability("contoso").refused == "reserved"
    platform, _ = northwind(reserve_only=["contoso"])
    assert platform.domain_availability("www").available


def test_s19_one_source_cannot_go_on_guessing() -> None:
    clock = Clock()
    platform, agency = northwind(clock=clock, source_limit=(1, timedelta(seconds=10)))
    agency.create_reseller(**draft_with_password("acme"))
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", "wrong", source="192.0.2.1")
    with pytest.raises(partnerkit.ThrottledError) as throttled:
        platform.sign_in("acme", "owner@acme.example", PASSWORD, source="192.0.2.1")
    assert throttled.value.retry_after == 10
    platform.sign_in("acme", "owner@acme.example", PASSWORD, source="192.0.2.2")


class Reversed:
    """An old scheme of the host's, which breaks down over one password."""

    def recognises(self, hash: str) -> bool:
        return hash.startswith("rev:")

    def verify(self, password: str, hash: str) -> bool:
        assert password != "poison"
        return hash == "rev:" + password[::-1]


def test_s15_hashes_are_taken_over() -> None:
    def form(hash: str) -> dict[str, object]:
        return draft("acme", invite=False, password_hash=hash)

    platform, agency = northwind(legacy_verifier=Reversed(), peppers={1: b"p" * 32})
    with pytest.raises(partnerkit.ValidationError) as refused:
        agency.create_reseller(**form("md5:0123"))
    assert [(e.field, e.code) for e in refused.value.errors] == [("password_hash", "invalid")]
    agency.create_reseller(**form("rev:terces"))
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", "wrong")
    for _ in range(2):
        platform.sign_in("acme", "owner@acme.example", "secret")


def test_s19_a_verifier_that_raises_stops_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    platform, agency = northwind(legacy_verifier=Reversed(), sign_in_limit=2)
    agency.create_reseller(**draft("acme", invite=False, password_hash="rev:terces"))
    for _ in range(5):
        with pytest.raises(partnerkit.AccessDeniedError):
            platform.sign_in("acme", "owner@acme.example", "poison")
    assert [type(raised.exc_value) for raised in told] == [AssertionError] * 5
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", "wrong")
    platform.sign_in("acme", "owner@acme.example", "secret")


@pytest.mark.parametrize(
    "settings",
    [
        {"secrets": {1: b"short"}},
        {"peppers": {1: b"short"}},
        {"hashing_cost": (1, 1, 1)},
        {"login_base": "not a domain"},
    ],
)
def test_settings_that_cannot_work(settings: dict[str, object]) -> None:
    with pytest.raises(partnerkit.ConfigurationError):
        Platform.open("memory:", **settings)  # type: ignore[arg-type]


def test_s59_the_hosts_secret_seals_cursors(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'resellers.db'}"
    old, new = b"o" * 32, b"n" * 32
    agency = Platform.open(url, secrets={1: old}).create_agency("northwind")
    for label in ("acme", "globex"):
        agency.create_reseller(**draft(label))
    cursor = agency.page(limit=1).next
    assert cursor is not None
    rotated = Platform.open(url, secrets={1: old, 2: new}).agency("northwind")
    assert len(rotated.page(limit=1, after=cursor).resellers) == 1
    with pytest.raises(partnerkit.InvalidCursorError):
        Platform.open(url, secrets={2: new}).agency("northwind").page(limit=1, after=cursor)


class Answering:
    """A verifier whose answer is no bool, as a coroutine or a tuple is none."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def recognises(self, hash: str) -> bool:
        return True

    def verify(self, password: str, hash: str) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [(False, None), "no", 1, NotImplemented, object(), None])
def test_only_true_is_the_answer_of_a_verifier_that_lets_somebody_in(
    answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    platform, agency = northwind(legacy_verifier=Answering(answer))
    agency.create_reseller(**draft("acme", invite=False, password_hash="old:secret"))
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", "a guess")
    assert [str(raised.exc_value) for raised in told] == ["verify must return a bool"]
