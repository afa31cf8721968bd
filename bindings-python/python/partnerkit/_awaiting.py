"""What the asynchronous handles are made of: the handle that blocks, and a thread for each call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from ._native import Agency, Platform

if TYPE_CHECKING:
    from os import PathLike
    from typing import Unpack

    from ._native import _Conditions, _Reads, _Settings, _Writes
    from .records import ImportReport, Reseller, RowReport

P = ParamSpec("P")
R = TypeVar("R")


class Calls:
    """Calls that are awaited."""

    __slots__ = ()

    @staticmethod
    async def _run(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(call, *args, **kwargs)


class PlatformCalls(Calls):
    """What a platform does that is no operation."""

    __slots__ = ("_platform",)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @classmethod
    async def open(cls, url: str, **settings: Unpack[_Settings]) -> Self:
        """Opens a store, as `Platform.open` does."""
        return cls(await cls._run(Platform.open, url, **settings))

    @property
    def blocking(self) -> Platform:
        """The platform whose calls block."""
        return self._platform

    def login_url(self, login_domain: str) -> str:
        """Where the customers of whoever has this login domain sign in; it asks no store."""
        return self._platform.login_url(login_domain)


class AgencyCalls(Calls):
    """What an agency does that is no operation, or that has a file."""

    __slots__ = ("_agency",)

    def __init__(self, agency: Agency) -> None:
        self._agency = agency

    @property
    def blocking(self) -> Agency:
        """The agency whose calls block."""
        return self._agency

    @property
    def id(self) -> str:
        """The agency's id."""
        return self._agency.id

    def acting_as(self, actor: str) -> Self:
        """The same agency, with every change noted as made by this actor of the host's. Raises
        ValidationError with the field `actor` (1-200 characters); it asks no store.
        """
        return type(self)(self._agency.acting_as(actor))

    async def search(
        self, text: str = "", **conditions: Unpack[_Conditions]
    ) -> AsyncIterator[Reseller]:
        """Every reseller that a text and conditions find, read page by page."""
        after = None
        while True:
            page = await self._run(self._agency.page, text, after=after, **conditions)
            for reseller in page.resellers:
                yield reseller
            if page.next is None:
                return
            after = page.next

    async def import_csv(
        self,
        file: str | PathLike[str] | _Reads,
        *,
        dry_run: bool = False,
        delimiter: str | None = None,
        each: Callable[[RowReport], object] | None = None,
    ) -> ImportReport:
        """Creates a reseller of each row of a CSV file, as `Agency.import_csv` does. The file is
        read, and `each` is called, on another thread.
        """
        return await self._run(
            self._agency.import_csv, file, dry_run=dry_run, delimiter=delimiter, each=each
        )

    async def export_csv(
        self,
        file: str | PathLike[str] | _Writes,
        text: str = "",
        **conditions: Unpack[_Conditions],
    ) -> int:
        """Writes resellers as CSV, as `Agency.export_csv` does, and says how many. The file is
        written on another thread.
        """
        return await self._run(self._agency.export_csv, file, text, **conditions)
