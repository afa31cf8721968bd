"""The asynchronous handles: the same operations, awaited, beside everything else of the loop."""

from __future__ import annotations

import asyncio
import inspect
import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import partnerkit
from partnerkit import Agency, AsyncAgency, AsyncPlatform, Platform

import vectors
from forms import draft

CASES = dict(vectors.cases())


class Awaiting:
    """An asynchronous handle whose calls are made as if they blocked."""

    def __init__(self, run: Callable[[Any], Any], handle: AsyncPlatform | AsyncAgency) -> None:
        self._run, self._handle = run, handle

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._handle, name)
        return self._called(found) if callable(found) else found

    def _called(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = method(*args, **kwargs)
            if inspect.isawaitable(answer):
                answer = self._run(answer)
            is_handle = isinstance(answer, AsyncPlatform | AsyncAgency)
            return Awaiting(self._run, answer) if is_handle else answer

        return call


@pytest.fixture
def run() -> Iterator[Callable[[Any], Any]]:
    with asyncio.Runner() as runner:

        async def awaited(answer: Any) -> Any:
            return await answer

        yield lambda answer: runner.run(awaited(answer))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vector(case: dict[str, Any], run: Callable[[Any], Any]) -> None:
    def open(**options: Any) -> Any:
        return Awaiting(run, AsyncPlatform(Platform.open("memory:", **options)))

    vectors.run(case, open)


def public(handle: type) -> set[str]:
    return {name for name in dir(handle) if not name.startswith("_")}


def test_nothing_is_missing() -> None:
    # A store of the host's runs on the thread that calls.
    assert public(Platform) - {"with_storage"} == public(AsyncPlatform) - {"blocking"}
    assert public(Agency) == public(AsyncAgency) - {"blocking"}


def test_what_is_no_operation(run: Callable[[Any], Any], tmp_path: Any) -> None:
    async def all_of_it() -> None:
        url = f"sqlite:{tmp_path / 'resellers.db'}"
        platform = await AsyncPlatform.open(url, login_base="partner.example.com")
        assert platform.login_url("acme") == "https://acme.partner.example.com"
        agency = (await platform.create_agency("northwind")).acting_as("an operator")
        assert (agency.id, agency.blocking.id) == ("northwind", "northwind")
        acme = await agency.create_reseller(**draft("acme"))
        file, rows = io.BytesIO(), []
        assert await agency.export_csv(file) == 1
        file.seek(0)
        report = await agency.import_csv(file, each=rows.append)
        assert (report.existing, [row.reseller for row in rows]) == (1, [acme.id])
        with pytest.raises(partnerkit.ValidationError, match="status"):
            await agency.page(status="switched off")  # type: ignore[call-arg]

    run(all_of_it())


def test_a_search_goes_over_all_pages(run: Callable[[Any], Any]) -> None:
    async def search() -> None:
        platform = await AsyncPlatform.open("memory:")
        agency = await platform.create_agency("northwind")
        for letter in "abcdef":
            await agency.create_reseller(**draft(f"acme{letter}"))
        found = [reseller.login_domain async for reseller in agency.search("", limit=4)]
        assert found == [f"acme{letter}" for letter in "fedcba"]

    run(search())


def test_calls_run_beside_each_other(run: Callable[[Any], Any]) -> None:
    """None holds the loop up: all of them are under way before the first one has ended."""

    async def create() -> None:
        platform = await AsyncPlatform.open("memory:")
        agency = await platform.create_agency("northwind")
        calls = [agency.create_reseller(**draft(f"acme{letter}")) for letter in "abcd"]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        created = await asyncio.gather(*tasks)
        assert len({reseller.id for reseller in created}) == 4

    run(create())


@pytest.mark.parametrize("name", ["self", "call", "size", "args"])
def test_a_form_may_have_any_name(name: str) -> None:
    async def create() -> None:
        platform = await AsyncPlatform.open("memory:")
        agency = await platform.create_agency("northwind")
        await agency.create_reseller(**{name: ""})

    with pytest.raises(partnerkit.ValidationError, match=f"{name} is not a known field"):
        asyncio.run(create())


def test_closing_does_not_wait_for_the_calls_that_it_ends(tmp_path: Path) -> None:
    entered, may_go_on = threading.Semaphore(0), threading.Event()
    # If closing waits, this lets it, so that the test ends.
    watchdog = threading.Timer(120, may_go_on.set)
    watchdog.start()

    def waited() -> datetime:
        if threading.current_thread() is not threading.main_thread():
            entered.release()
            may_go_on.wait()
        return datetime.now(UTC)

    blocking = Platform.open(tmp_path / "resellers.db", clock=waited)
    agency = blocking.ensure_agency("northwind")
    acme = agency.create_reseller(**draft("acme"))

    async def close() -> None:
        platform, awaited = AsyncPlatform(blocking), AsyncAgency(agency)
        calls = [asyncio.ensure_future(awaited.deactivate(acme.id)) for _ in range(64)]
        await asyncio.sleep(0)
        for _ in range(32):  # as many as run at once
            await asyncio.to_thread(entered.acquire)
        await platform.close()
        assert not may_go_on.is_set()
        may_go_on.set()
        for ended in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(ended, partnerkit.ConfigurationError), ended

    try:
        asyncio.run(close())
    finally:
        may_go_on.set()
        watchdog.cancel()


def test_a_platform_is_closed_at_the_end_of_an_async_with_statement(tmp_path: Path) -> None:
    async def main() -> None:
        async with await AsyncPlatform.open(tmp_path / "resellers.db") as platform:
            agency = await platform.ensure_agency("northwind")
        assert not (tmp_path / "resellers.db-wal").exists()
        with pytest.raises(partnerkit.ConfigurationError, match="closed"):
            await agency.overview()
        await platform.close()

    asyncio.run(main())
