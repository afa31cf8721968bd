"""The base of the asynchronous handles: a blocking handle, and a thread for each call."""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, Self, TypeVar

from ._native import Agency, Platform
from .errors import ConfigurationError

if TYPE_CHECKING:
    from os import PathLike
    from typing import Unpack

    from ._native import _Reads, _Writes
    from .forms import Conditions
    from .records import ImportReport, Reseller, RowReport
    from .settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

BRIEF: Final = 32
"""How many calls that wait only for the store run at once."""

LONG: Final = 1_024
"""How many other calls run at once. It is more than any platform lets wait for hashing, so that
the platform decides which call is next, and which one is Busy."""

_threads: dict[int, ThreadPoolExecutor] = {}


def _pool(size: int) -> ThreadPoolExecutor:
    """A thread pool whose threads start when they are needed. It is not the loop's pool, which
    the host's own work and name look-ups need.
    """
    pool = _threads.get(size)
    return pool or _threads.setdefault(size, ThreadPoolExecutor(size, "partnerkit"))


# A child has none of its parent's threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.clear)


def _called(call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return call(*args, **kwargs)
    except StopIteration as stopped:
        # A future cannot hold this exception: awaiting it would never end.
        raise RuntimeError("a function of the caller raised StopIteration") from stopped


BOUND: Final = (
    "the storage of this platform works in the transactions of the thread that calls it, and an "
    "asynchronous handle calls it on other threads: call the blocking handle (in an asynchronous "
    "view of Django, through `asgiref.sync.sync_to_async`), or, if the storage may be used on any "
    "thread, give it the attribute `any_thread = True`"
)


def _refuse_bound(handle: Platform | Agency) -> None:
    if not handle._any_thread:
        raise ConfigurationError(BOUND)


class Calls:
    """Calls that are awaited."""

    __slots__ = ()

    @staticmethod
    async def _run(call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Awaits a call that waits only for the store."""
        return await _awaited(_pool(BRIEF), call, *args, **kwargs)

    @staticmethod
    async def _run_long(call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Awaits a call that hashes a password or takes a file, so that other calls do not wait
        for it.
        """
        return await _awaited(_pool(LONG), call, *args, **kwargs)

    @staticmethod
    async def _run_alone(call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Awaits a call on a thread of its own: closing does not wait for calls that it ends."""
        alone = ThreadPoolExecutor(1, "partnerkit")
        try:
            return await _awaited(alone, call, *args, **kwargs)
        finally:
            alone.shutdown(wait=False)


async def _awaited(
    pool: ThreadPoolExecutor, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> R:
    work = partial(_called, call, *args, **kwargs)
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, work)


class PlatformCalls(Calls):
    """The methods of a platform that are not operations."""

    __slots__ = ("_platform",)

    def __init__(self, platform: Platform) -> None:
        _refuse_bound(platform)
        self._platform = platform

    @classmethod
    async def open(cls, url: str | PathLike[str], **settings: Unpack[Settings]) -> Self:
        """Opens a store, as `Platform.open` does.

        ```python
        platform = await partnerkit.AsyncPlatform.open("sqlite:resellers.db")
        agency = await platform.ensure_agency("northwind")
        assert agency.id == "northwind"
        ```
        """
        return cls(await cls._run_long(Platform.open, url, **settings))

    async def __aenter__(self) -> Self:
        """`async with await AsyncPlatform.open(…) as platform:` closes it at the end."""
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._run_alone(self._platform.close)

    @property
    def blocking(self) -> Platform:
        """The platform whose calls block.

        ```python
        assert platform.blocking.agencies() == await platform.agencies()
        ```
        """
        return self._platform

    def login_url(self, login_domain: str) -> str:
        """The URL at which the customers of a login domain's holder sign in; it does not use
        the store.

        ```python
        assert platform.login_url(acme.login_domain) == "https://acme.partner.example.com"
        ```
        """
        return self._platform.login_url(login_domain)


class AgencyCalls(Calls):
    """The methods of an agency that are not operations or take a file."""

    __slots__ = ("_agency",)

    def __init__(self, agency: Agency) -> None:
        _refuse_bound(agency)
        self._agency = agency

    @property
    def blocking(self) -> Agency:
        """The agency whose calls block.

        ```python
        assert agency.blocking.reseller(acme.id) == await agency.reseller(acme.id)
        ```
        """
        return self._agency

    @property
    def id(self) -> str:
        """The agency's id.

        ```python
        assert agency.id == "northwind"
        ```
        """
        return self._agency.id

    def acting_as(self, actor: str) -> Self:
        """A handle on the same agency that records this actor of the host with every change.
        Raises ValidationError with the field `actor` (1-200 characters); it does not use the
        store.

        ```python
        await agency.acting_as("user-42").deactivate(acme.id)
        change = (await agency.changes())[-1]
        assert (change.kind, change.actor) == ("reseller_deactivated", "user-42")
        ```
        """
        return type(self)(self._agency.acting_as(actor))

    async def search(
        self, text: str | None = None, **fields: Unpack[Conditions]
    ) -> AsyncIterator[Reseller]:
        """Every reseller that a text and conditions find, read page by page.

        ```python
        await agency.create_reseller(**form)
        found = [reseller.name async for reseller in agency.search("telecom", status="active")]
        assert found == ["Acme Télécom"]
        ```
        """
        while True:
            page = await self._run(self._agency.page, text, **fields)
            for reseller in page.resellers:
                yield reseller
            if page.next is None:
                return
            fields["after"] = page.next

    async def import_csv(
        self,
        file: str | PathLike[str] | _Reads,
        *,
        dry_run: bool = False,
        delimiter: str | None = None,
        each: Callable[[RowReport], object] | None = None,
    ) -> ImportReport:
        """Creates a reseller for each row of a CSV file, as `Agency.import_csv` does. The file
        is read, and `each` is called, on another thread.

        ```python
        import io

        file = io.BytesIO()  # or a path: "partners.csv"
        await agency.export_csv(file)
        file.seek(0)
        report = await agency.import_csv(file)
        assert (report.created, report.existing, report.rejected) == (0, 1, 0)
        ```
        """
        return await self._run_long(
            self._agency.import_csv, file, dry_run=dry_run, delimiter=delimiter, each=each
        )

    async def export_csv(
        self,
        file: str | PathLike[str] | _Writes,
        text: str | None = None,
        **fields: Unpack[Conditions],
    ) -> int:
        """Writes resellers as CSV, as `Agency.export_csv` does, and returns their number. The
        file is written on another thread.

        ```python
        import io

        file = io.BytesIO()  # or a path: "partners.csv"
        assert await agency.export_csv(file, "telecom") == 1
        assert "Acme Télécom" in file.getvalue().decode()
        ```
        """
        return await self._run_long(self._agency.export_csv, file, text, **fields)
