"""The second connection, and the first use of a platform."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from django.core.signals import request_finished
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

import partnerkit
from partnerkit import Platform
from partnerkit.django import DjangoStorage, second
from partnerkit.django.rows import KNOWN_SECRETS
from partnerkit.storage import Mode

from conftest import empty
from forms import PASSWORD, draft, draft_with_password
from hosting import together


@pytest.fixture(autouse=True)
def none_before() -> Iterator[None]:
    second.close_all()
    yield
    second.close_all()


def opened(alias: str, **settings: object) -> Platform:
    return Platform.with_storage(DjangoStorage(using=alias), **settings)  # type: ignore[arg-type]


def ours(alias: str) -> second.Second | None:
    return second._of_thread.by_alias.get(alias)


def secrets(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM partnerkit_secrets")
        return cursor.fetchone()[0]


class HostFailed(Exception):
    """Rolls the host's transaction back."""


def guess(platform: Platform) -> None:
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", "wrong")


def test_a_receiver_may_look_up_the_connection_that_was_made(alias: str) -> None:
    """As `django.contrib.postgres` does."""
    looked_up = []

    def receive(connection: BaseDatabaseWrapper, **_: object) -> None:
        looked_up.append(connections[connection.alias])

    platform = opened(alias)
    agency = platform.create_agency("northwind")
    agency.create_reseller(**draft_with_password("acme"))
    connection_created.connect(receive)
    try:
        with transaction.atomic(using=alias):
            platform.sign_in("acme", "owner@acme.example", PASSWORD)
    finally:
        connection_created.disconnect(receive)
    assert looked_up


def test_what_is_written_first_is_part_of_a_host_without_autocommit(alias: str) -> None:
    platform = opened(alias)
    acme = platform.create_agency("northwind").create_reseller(**draft("acme"))
    agency = platform.agency("northwind")
    transaction.set_autocommit(False, using=alias)
    try:
        agency.update_reseller(acme.id, name="Another")
        transaction.rollback(using=alias)
        assert agency.reseller(acme.id).name == acme.name
        agency.update_reseller(acme.id, name="Another")
        transaction.commit(using=alias)
        assert agency.reseller(acme.id).name == "Another"
    finally:
        transaction.rollback(using=alias)
        transaction.set_autocommit(True, using=alias)


# Its life


def test_django_does_not_know_of_it(alias: str) -> None:
    before = set(connections)
    with transaction.atomic(using=alias):
        guess(opened(alias))
    assert set(connections) == before
    assert not [found for found in connections.all() if "partnerkit" in found.alias]


def test_on_postgres_it_lives_as_long_as_the_block_needs_it(postgres_alias: str) -> None:
    platform = opened(postgres_alias)
    with transaction.atomic(using=postgres_alias):
        guess(platform)
        first = ours(postgres_alias)
        guess(platform)
        assert first is not None and first is ours(postgres_alias)
    raw = first.connection.connection
    assert platform.agencies() == []
    assert ours(postgres_alias) is None and raw.closed, "the block has ended"


def test_it_ends_with_the_request(postgres_alias: str) -> None:
    with transaction.atomic(using=postgres_alias):
        guess(opened(postgres_alias))
    found = ours(postgres_alias)
    assert found is not None
    raw = found.connection.connection
    request_finished.send(sender=None)
    assert ours(postgres_alias) is None and raw.closed


def test_it_ends_with_the_hosts_connection(postgres_alias: str) -> None:
    with transaction.atomic(using=postgres_alias):
        guess(opened(postgres_alias))
    found = ours(postgres_alias)
    assert found is not None
    raw = found.connection.connection
    connections[postgres_alias].close()
    assert raw.closed


def test_on_sqlite_it_ends_with_each_use(sqlite_alias: str) -> None:
    with transaction.atomic(using=sqlite_alias):
        guess(opened(sqlite_alias))
        found = ours(sqlite_alias)
        assert found is not None and found.connection.connection is None


def test_each_thread_has_its_own(postgres_alias: str) -> None:
    platform = opened(postgres_alias)
    barrier = threading.Barrier(4)

    def request(_: int) -> int:
        with transaction.atomic(using=postgres_alias):
            guess(platform)
            barrier.wait()
            found = ours(postgres_alias)
            assert found is not None
            return id(found.connection.connection)

    assert len(set(together(4, request))) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_leaves_its_parents_alone(postgres_alias: str) -> None:
    platform = opened(postgres_alias)
    with transaction.atomic(using=postgres_alias):
        guess(platform)
        child = os.fork()
        if child == 0:
            second.close_all()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        found = ours(postgres_alias)
        assert found is not None
        guess(platform)
        assert ours(postgres_alias) is found, "it was not closed"


def test_the_settings_are_those_of_now(postgres_alias: str) -> None:
    """Test databases get their names late."""
    host = connections[postgres_alias]
    with transaction.atomic(using=postgres_alias):
        found = second.second(host)
        kept = dict(host.settings_dict)
        host.settings_dict.update(TIME_ZONE="Asia/Tokyo")
        try:
            assert second.second(host) is not found
        finally:
            host.settings_dict.update(kept)


def test_an_own_transaction_is_never_a_savepoint(postgres_alias: str) -> None:
    with transaction.atomic(using=postgres_alias):
        found = second.second(connections[postgres_alias])
        found.connection.set_autocommit(False)
        with pytest.raises(partnerkit.InsideTransactionError):
            DjangoStorage(using=postgres_alias).begin("_platform", Mode.OWN)


# What waits for the host


def test_s19_the_last_attempt_waits_for_nothing_that_its_caller_holds(
    postgres_alias: str,
) -> None:
    platform = opened(postgres_alias, sign_in_limit=3)
    agency = platform.create_agency("northwind")
    acme = agency.create_reseller(**draft_with_password("acme"))
    for _ in range(2):
        guess(platform)
    new = {
        "password": "amber quilt 17 lantern",
        "password_confirmation": "amber quilt 17 lantern",
    }
    with transaction.atomic(using=postgres_alias):
        agency.update_reseller(acme.id, name="Another")
        with pytest.raises(partnerkit.AccessDeniedError):
            agency.change_password(acme.id, current="wrong", **new)
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", PASSWORD)


def test_what_the_host_has_locked_is_told_and_not_waited_for(
    postgres_alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from partnerkit.django import storage

    monkeypatch.setattr(storage, "LIMIT_WAITING", "SET LOCAL lock_timeout = '50ms'")
    platform = opened(postgres_alias)
    agency = platform.create_agency("northwind")
    agency.create_reseller(**draft_with_password("acme"))
    guess(platform)
    with transaction.atomic(using=postgres_alias):
        with connections[postgres_alias].cursor() as cursor:
            cursor.execute("SELECT 1 FROM partnerkit_attempts FOR UPDATE")
        with pytest.raises(partnerkit.InsideTransactionError) as told:
            platform.sign_in("acme", "owner@acme.example", "wrong")
        assert "locked" in str(told.value.__cause__)
    assert platform.sign_in("acme", "owner@acme.example", PASSWORD).stamp


# The first use


def test_opening_asks_nothing(migrated: set[str]) -> None:
    Platform.with_storage(DjangoStorage(using="no such database"))


def test_s59_the_first_use_may_be_undone_with_the_hosts_block(alias: str) -> None:
    platform = opened(alias)
    with pytest.raises(HostFailed), transaction.atomic(using=alias):
        agency = platform.create_agency("northwind")
        agency.create_reseller(**draft("acme"))
        agency.create_reseller(**draft("globex"))
        cursor = agency.page(limit=1).next
        assert agency.page(limit=1, after=cursor).resellers
        raise HostFailed
    agency = platform.create_agency("northwind")
    acme = agency.create_reseller(**draft_with_password("acme"))
    token = agency.reset_token(acme.id)
    assert secrets(alias) == 1
    new = "amber quilt 17 lantern"
    opened(alias).reset_password(token, password=new, password_confirmation=new)


def test_s59_first_uses_at_once_know_one_secret(alias: str) -> None:
    agency = opened(alias, secrets={1: b"s" * 32}).create_agency("northwind")
    acme = agency.create_reseller(**draft_with_password("acme"))
    assert secrets(alias) == 0

    def use(number: int) -> tuple[Platform, str]:
        platform = opened(alias)
        if number % 2:
            return platform, platform.agency("northwind").reset_token(acme.id)
        with transaction.atomic(using=alias):
            return platform, platform.agency("northwind").reset_token(acme.id)

    used = together(8, use)
    assert secrets(alias) == 1
    # None is used up by being refused for its new password.
    for (platform, _), (_, token) in zip(used, used[1:] + used[:1], strict=True):
        with pytest.raises(partnerkit.ValidationError):
            platform.reset_password(token, password="x", password_confirmation="x")


def test_s43_the_first_request_writes_behind_its_reads(alias: str) -> None:
    """Finding out about the store ages no snapshot of the host's block."""
    agency = opened(alias).create_agency("northwind")
    empty_of_secrets = opened(alias)
    with transaction.atomic(using=alias):
        found = empty_of_secrets.agency("northwind")
        found.create_reseller(**draft("acme"))
        assert [r.login_domain for r in found.page().resellers] == ["acme"]
    assert agency.overview().active_resellers == 1


def test_migrating_makes_the_secret_and_emptying_keeps_it(alias: str) -> None:
    from django.core.management import call_command

    call_command("migrate", database=alias, verbosity=0)
    assert secrets(alias) == 1
    agency = opened(alias).create_agency("northwind")
    acme = agency.create_reseller(**draft_with_password("acme"))
    call_command("flush", database=alias, interactive=False, verbosity=0)
    assert secrets(alias) == 1
    KNOWN_SECRETS.clear()
    empty(alias)
    call_command("flush", database=alias, interactive=False, verbosity=0)
    assert secrets(alias) == 1 and acme
