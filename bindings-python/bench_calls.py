"""What a call costs: crossing into the core, and crossing back with records.

Build with `maturin develop --release --skip-install`, then run with PYTHONPATH=python.
"""

from __future__ import annotations

import asyncio
import functools
import math
import string
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from uuid import UUID

import partnerkit
from partnerkit._native import repeat_in_rust

RUNS = 200
# Of each run: short, so that some runs are disturbed by nobody.
SECONDS = 0.005


def microseconds(*calls: Callable[[], object]) -> list[float]:
    """The best of many runs of each call, of the thread's own time; they take turns, because a
    machine has moods."""
    timers = [timeit.Timer(call, timer=time.thread_time) for call in calls]
    counts = [max(1, int(SECONDS / min(timer.repeat(5, 1)))) for timer in timers]
    best = [math.inf for _ in calls]
    for _ in range(RUNS):
        for place, (timer, count) in enumerate(zip(timers, counts, strict=True)):
            best[place] = min(best[place], timer.timeit(count) / count * 1e6)
    return best


async def in_a_thread(call: Callable[[], object], count: int = 2_000) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(count):
        await asyncio.to_thread(call)
    return (loop.time() - begun) / count * 1e6


def create(agency: partnerkit.Agency, label: str) -> partnerkit.Reseller:
    return agency.create_reseller(
        partner_type="own_plans",
        name=f"The {label} company",
        email=f"owner@{label}.example",
        phone="+14155552671",
        contact={"name": "Ann", "email": f"ann@{label}.example", "phone": "+14155552671"},
        login_domain=label,
        website=f"https://{label}.example",
        external_id=f"crm-{label}",
        metadata={"plan": "gold", "region": "emea"},
        invite=True,
    )


def crossing() -> None:
    """Calls on a store in memory, which hardly takes any time itself."""
    platform = partnerkit.Platform.open("memory:", login_base="partner.example.com")
    agency = platform.create_agency("northwind")
    acme = create(agency, "acme")
    calls: dict[str, Callable[[], object]] = {
        "agency.id (no detour)": lambda: agency.id,
        "agency.acting_as (detached, no store)": lambda: agency.acting_as("user-42"),
        "agency.overview (memory, 5 numbers)": agency.overview,
        "platform.resolve_host (memory, 3 values)": lambda: platform.resolve_host(
            "acme.partner.example.com"
        ),
        "agency.reseller (memory, 16 values)": lambda: agency.reseller(acme.id),
        "partnerkit.phone_countries (a list of records)": partnerkit.phone_countries,
    }
    for name, took in zip(calls, microseconds(*calls.values()), strict=True):
        print(f"{took:10.2f}  {name}")
    awaited = asyncio.run(in_a_thread(lambda: agency.reseller(acme.id)))
    print(f"{awaited:10.2f}  agency.reseller through asyncio.to_thread")


def beside_rust(folder: str) -> None:
    """What Python adds to a read of SQLite."""
    platform = partnerkit.Platform.open(f"sqlite:{folder}/bench.db")
    agency = platform.create_agency("northwind")
    resellers = [create(agency, f"acme{letter}") for letter in string.ascii_lowercase[:25]]
    first = resellers[0].id
    reads: dict[str, tuple[UUID | None, Callable[[], object]]] = {
        "a page of 25": (None, agency.page),
        "a get": (first, lambda: agency.reseller(first)),
    }
    for name, (id, call) in reads.items():
        python, rust = microseconds(call, functools.partial(repeat_in_rust, agency, id, 10))
        added = f"{python - rust / 10:.2f} more than the {rust / 10:.2f} of Rust"
        print(f"{python:10.2f}  {name} (SQLite): {added}")


def main() -> None:
    print(f"Python {sys.version.split()[0]}, microseconds of the thread's own time per call")
    crossing()
    with tempfile.TemporaryDirectory() as folder:
        beside_rust(folder)


if __name__ == "__main__":
    main()
