"""What is done inside the host's transaction, and what stays out of it."""

from __future__ import annotations

import pytest
from django.db import connections, transaction

import partnerkit
from partnerkit import Agency, Metric, Platform, Reseller
from partnerkit.django import DjangoStorage, second
from partnerkit.django.scopes import holds_write_lock

from conftest import migrate
from forms import PASSWORD, draft, draft_with_password
from hosting import together

CALLERS = 64
LIMIT = 40


class HostFailed(Exception):
    """Rolls the host's transaction back."""


def names(agency: Agency) -> set[str]:
    return {reseller.login_domain for reseller in agency.search()}


def failures(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(failures), 0) FROM partnerkit_attempts")
        return cursor.fetchone()[0]


def host_writes(alias: str) -> None:
    """Something of the host's own, in a table that happens to be ours."""
    with connections[alias].cursor() as cursor:
        cursor.execute("UPDATE partnerkit_agencies SET numbered = numbered")


def test_s43_racing_callers_never_pass_the_limit(agency: Agency, acme: Reseller) -> None:
    agency.set_allowance(acme.id, Metric.MESSAGES, LIMIT)
    answers = together(
        CALLERS, lambda n: agency.consume(acme.id, Metric.MESSAGES, 1, f"call-{n}")
    )
    assert sum(answer.granted for answer in answers) == LIMIT
    denied = [answer for answer in answers if not answer]
    assert {answer.reason for answer in denied} == {partnerkit.DenialReason.LIMIT_REACHED}
    assert {(answer.used, answer.limit) for answer in denied} == {(LIMIT, LIMIT)}
    assert agency.overview().messages == LIMIT


def test_operations_of_one_block_commit_together(alias: str, agency: Agency) -> None:
    with transaction.atomic(using=alias):
        first = agency.create_reseller(**draft("acme"))
        agency.create_reseller(**draft("globex"))
        agency.consume(first.id, Metric.MESSAGES, 3, "call")
        assert names(agency) == {"acme", "globex"}
    assert names(agency) == {"acme", "globex"}
    overview = agency.overview()
    assert (overview.active_resellers, overview.messages) == (2, 3)


def test_operations_of_one_block_vanish_together(alias: str, agency: Agency) -> None:
    with pytest.raises(HostFailed), transaction.atomic(using=alias):
        agency.create_reseller(**draft("acme"))
        agency.create_reseller(**draft("globex"))
        raise HostFailed
    assert names(agency) == set()
    assert agency.overview().active_resellers == 0
    assert [change.kind for change in agency.changes()] == ["agency_created"]


def test_an_error_leaves_the_block_usable(alias: str, agency: Agency, acme: Reseller) -> None:
    with transaction.atomic(using=alias):
        with pytest.raises(partnerkit.ValidationError) as refused:
            agency.create_reseller(**draft("acme", email="another@acme.example"))
        assert [(e.field, e.code) for e in refused.value.errors] == [("login_domain", "taken")]
        with pytest.raises(partnerkit.NotFoundError):
            agency.reseller("00000000-0000-0000-0000-000000000000")
        with pytest.raises(partnerkit.ConflictError):
            agency.update_reseller(acme.id, version=7, name="Another")
        agency.create_reseller(**draft("globex"))
    assert names(agency) == {"acme", "globex"}


def test_a_taken_email_leaves_the_block_usable(alias: str, agency: Agency) -> None:
    agency.create_reseller(**draft("acme"))
    with transaction.atomic(using=alias):
        globex = agency.create_reseller(**draft("globex"))
        with pytest.raises(partnerkit.ValidationError):
            agency.update_reseller(globex.id, email="owner@acme.example")
        agency.update_reseller(globex.id, name="Globex")
    assert agency.reseller(globex.id).name == "Globex"


def test_a_read_inside_a_block_sees_what_it_wrote(alias: str, agency: Agency) -> None:
    with pytest.raises(HostFailed), transaction.atomic(using=alias):
        created = agency.create_reseller(**draft("acme"))
        assert agency.reseller(created.id) == created
        raise HostFailed
    with pytest.raises(partnerkit.NotFoundError):
        agency.reseller(created.id)


def test_s19_a_failed_sign_in_is_counted_although_the_host_rolls_back(
    alias: str, platform: Platform, agency: Agency
) -> None:
    agency.create_reseller(**draft_with_password("acme"))
    with pytest.raises(partnerkit.AccessDeniedError), transaction.atomic(using=alias):
        platform.sign_in("acme", "owner@acme.example", "wrong")
    assert failures(alias) == 1
    with pytest.raises(partnerkit.AccessDeniedError), transaction.atomic(using=alias):
        assert agency.overview().active_resellers == 1, "the host has read"
        platform.sign_in("acme", "owner@acme.example", "wrong")
    assert failures(alias) == 2


def test_s19_on_postgres_a_failed_sign_in_is_counted_beside_the_hosts_writes(
    postgres_alias: str,
) -> None:
    platform = Platform.with_storage(DjangoStorage(using=postgres_alias))
    agency = platform.create_agency("northwind")
    agency.create_reseller(**draft_with_password("acme"))
    with pytest.raises(HostFailed), transaction.atomic(using=postgres_alias):
        agency.create_reseller(**draft("globex"))
        with pytest.raises(partnerkit.AccessDeniedError):
            platform.sign_in("acme", "owner@acme.example", "wrong")
        assert platform.sign_in("acme", "owner@acme.example", PASSWORD).stamp
        with pytest.raises(partnerkit.AccessDeniedError):
            platform.sign_in("acme", "owner@acme.example", "wrong")
        raise HostFailed
    assert failures(postgres_alias) == 1
    assert names(agency) == {"acme"}


EVERY_SQLITE = ["sqlite", "sqlite_immediate", "sqlite_rollback_journal"]


@pytest.mark.parametrize("sqlite_alias", EVERY_SQLITE, indirect=True)
@pytest.mark.parametrize("by_the_library", [True, False])
def test_s19_on_sqlite_a_sign_in_behind_the_hosts_writes_is_refused_at_once(
    sqlite_alias: str, by_the_library: bool
) -> None:
    platform = Platform.with_storage(DjangoStorage(using=sqlite_alias))
    agency = platform.create_agency("northwind")
    platform.prepare()
    with transaction.atomic(using=sqlite_alias):
        if by_the_library:
            agency.create_reseller(**draft("acme"))
        else:
            host_writes(sqlite_alias)
        with pytest.raises(partnerkit.InsideTransactionError) as refused:
            platform.sign_in("acme", "owner@acme.example", "wrong")
        assert refused.value.kind == "inside_transaction"
        agency.create_reseller(**draft("globex"))
    assert not second._of_thread.by_alias, "no connection was made that could only wait"
    assert "globex" in names(agency)


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("lift", ["set_password", "reset_password", "unlock"])
def test_s19_a_block_lifts_a_stop(alias: str, lift: str, writes: bool) -> None:
    platform = Platform.with_storage(DjangoStorage(using=alias), sign_in_limit=1)
    agency = platform.create_agency("northwind")
    acme = agency.create_reseller(**draft_with_password("acme"))
    token = agency.reset_token(acme.id)
    same = {"password": PASSWORD, "password_confirmation": PASSWORD}
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", "wrong")
    with transaction.atomic(using=alias):
        assert agency.overview().active_resellers == 1, "the host has read"
        if writes:
            agency.update_reseller(acme.id, name="Another")
        if lift == "set_password":
            agency.set_password(acme.id, **same)
        elif lift == "reset_password":
            platform.reset_password(token, **same)
        else:
            agency.unlock(acme.id)
    assert platform.sign_in("acme", "owner@acme.example", PASSWORD).stamp
    told = [change.kind for change in agency.changes()]
    assert told[-1] == ("sign_in_unlocked" if lift == "unlock" else "password_changed")


def test_a_block_that_locks_at_its_beginning_has_written(migrated: set[str]) -> None:
    alias = migrate("sqlite_immediate", migrated)
    platform = Platform.with_storage(DjangoStorage(using=alias))
    with transaction.atomic(using=alias), pytest.raises(partnerkit.InsideTransactionError):
        platform.sign_in("acme", "owner@acme.example", "wrong")
    assert failures(alias) == 0


@pytest.mark.parametrize("sqlite_alias", EVERY_SQLITE, indirect=True)
def test_every_way_of_setting_sqlite_up_serves_many_callers(sqlite_alias: str) -> None:
    agency = Platform.with_storage(DjangoStorage(using=sqlite_alias)).create_agency("northwind")
    acme = agency.create_reseller(**draft("acme"))
    agency.set_allowance(acme.id, Metric.MESSAGES, 8)
    answers = together(
        16, lambda n: agency.consume(acme.id, Metric.MESSAGES, 1, f"call-{n}").granted
    )
    assert sum(answers) == 8


def test_in_a_rollback_journal_a_sign_in_behind_the_hosts_reads_is_refused(
    migrated: set[str],
) -> None:
    journal_alias = migrate("sqlite_rollback_journal", migrated)
    platform = Platform.with_storage(DjangoStorage(using=journal_alias))
    agency = platform.create_agency("northwind")
    with transaction.atomic(using=journal_alias):
        assert agency.overview().messages == 0
        with pytest.raises(partnerkit.InsideTransactionError):
            platform.sign_in("acme", "owner@acme.example", "wrong")
    with pytest.raises(partnerkit.AccessDeniedError), transaction.atomic(using=journal_alias):
        platform.sign_in("acme", "owner@acme.example", "wrong")
    assert failures(journal_alias) == 1


def test_an_in_memory_database_has_no_second_connection(migrated: set[str]) -> None:
    migrate("default", migrated)
    platform = Platform.with_storage(DjangoStorage())
    platform.create_agency("northwind")
    with transaction.atomic(), pytest.raises(partnerkit.InsideTransactionError):
        platform.sign_in("acme", "owner@acme.example", "wrong")
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", "wrong")


def test_the_probe_for_sqlites_write_lock(sqlite_alias: str) -> None:
    connection = connections[sqlite_alias]
    assert not holds_write_lock(connection)
    with transaction.atomic(using=sqlite_alias):
        assert not holds_write_lock(connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM partnerkit_agencies")
        assert not holds_write_lock(connection), "reading is not writing"
        host_writes(sqlite_alias)
        assert holds_write_lock(connection)
    assert not holds_write_lock(connection)


def test_what_is_in_the_way_goes_up_when_the_host_has_to_begin_again(
    sqlite_alias: str,
) -> None:
    """A block whose snapshot has aged cannot write: only the host can run it again."""
    agency = Platform.with_storage(DjangoStorage(using=sqlite_alias)).create_agency("northwind")
    with transaction.atomic(using=sqlite_alias):
        assert agency.overview().messages == 0
        together(1, lambda _: agency.create_reseller(**draft("globex")))
        with pytest.raises(partnerkit.AbortedError) as aborted:
            agency.create_reseller(**draft("acme"))
        assert isinstance(aborted.value.__cause__, partnerkit.AbortedError)
    assert names(agency) == {"globex"}


def test_callers_in_blocks_of_their_own_queue(alias: str, agency: Agency) -> None:
    """ATOMIC_REQUESTS, with writes as the first thing each request does."""

    def request(number: int) -> None:
        with transaction.atomic(using=alias):
            agency.create_reseller(**draft("acme" + chr(ord("a") + number)))
            assert number in range(8)

    together(8, request)
    assert len(names(agency)) == 8
    assert agency.overview().active_resellers == 8


def test_s19_failures_inside_a_block_are_those_of_the_account(
    alias: str, agency: Agency
) -> None:
    """Whichever login domain it has: so it is found beside the block, before it is counted."""
    platform = Platform.with_storage(DjangoStorage(using=alias), sign_in_limit=2)
    acme = agency.create_reseller(**draft_with_password("acme"))
    for login_domain in ("acme", "acmetwo"):
        with pytest.raises(partnerkit.AccessDeniedError), transaction.atomic(using=alias):
            platform.sign_in(login_domain, "owner@acme.example", "wrong")
        agency.rename_login_domain(acme.id, "acmetwo")
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acmetwo", "owner@acme.example", PASSWORD)
    agency.unlock(acme.id)
    assert platform.sign_in("acmetwo", "owner@acme.example", PASSWORD).stamp


def test_who_was_created_in_a_block_signs_in_there(postgres_alias: str) -> None:
    platform = Platform.with_storage(DjangoStorage(using=postgres_alias))
    agency = platform.create_agency("northwind")
    with transaction.atomic(using=postgres_alias):
        acme = agency.create_reseller(**draft_with_password("acme"))
        access = platform.sign_in("acme", "owner@acme.example", PASSWORD)
        assert platform.check_access(access.stamp, None).reseller == acme.id
