"""What a call costs: crossing into the core, and crossing with a record.

Build with `maturin develop --release --skip-install`, then run with PYTHONPATH=python.
"""

from __future__ import annotations

import asyncio
import sys
import timeit
from collections.abc import Callable

import partnerkit

SECONDS = 1.0


def microseconds(call: Callable[[], object]) -> float:
    """The best of five runs, for one call."""
    timer = timeit.Timer(call)
    count, took = timer.autorange()
    count = max(1, int(count * SECONDS / 5 / took))
    return min(timer.repeat(5, count)) / count * 1e6


async def in_a_thread(call: Callable[[], object], count: int = 2_000) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(count):
        await asyncio.to_thread(call)
    return (loop.time() - begun) / count * 1e6


def main() -> None:
    platform = partnerkit.Platform.open("memory:", login_base="partner.example.com")
    agency = platform.create_agency("northwind")
    acme = agency.create_reseller(
        partner_type="own_plans",
        name="Acme",
        email="owner@acme.example",
        phone="+14155552671",
        contact={"name": "Ann", "email": "ann@acme.example", "phone": "+14155552671"},
        login_domain="acme",
        invite=True,
    )
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
    print(f"Python {sys.version.split()[0]}, microseconds per call")
    for name, call in calls.items():
        print(f"{microseconds(call):10.2f}  {name}")
    awaited = asyncio.run(in_a_thread(lambda: agency.reseller(acme.id)))
    print(f"{awaited:10.2f}  agency.reseller through asyncio.to_thread")


if __name__ == "__main__":
    main()
