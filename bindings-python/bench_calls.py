"""What a call costs: crossing into the core, and crossing back with records.

Build with `maturin develop --release --skip-install`, then run with PYTHONPATH=python.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import timeit
from collections.abc import Callable
from uuid import UUID

import partnerkit
from partnerkit._native import seconds_in_rust

SECONDS = 1.0
RUNS = 9


def microseconds(call: Callable[[], object]) -> float:
    """The best of some runs, for one call."""
    timer = timeit.Timer(call)
    count, took = timer.autorange()
    count = max(1, int(count * SECONDS / RUNS / took))
    return min(timer.repeat(RUNS, count)) / count * 1e6


def microseconds_in_rust(agency: partnerkit.Agency, id: UUID | None) -> float:
    """The same for a reseller with this id, or for a page, without Python."""
    took = seconds_in_rust(agency, id, 100) / 100
    count = max(1, int(SECONDS / RUNS / took))
    return min(seconds_in_rust(agency, id, count) for _ in range(RUNS)) / count * 1e6


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
    for name, call in calls.items():
        print(f"{microseconds(call):10.2f}  {name}")
    awaited = asyncio.run(in_a_thread(lambda: agency.reseller(acme.id)))
    print(f"{awaited:10.2f}  agency.reseller through asyncio.to_thread")


def beside_rust(folder: str) -> None:
    """What Python adds to a read of SQLite, asked for in turns because a machine has moods."""
    platform = partnerkit.Platform.open(f"sqlite:{folder}/bench.db")
    agency = platform.create_agency("northwind")
    resellers = [create(agency, f"acme{chr(ord('a') + n)}") for n in range(25)]
    first = resellers[0].id
    reads: dict[str, tuple[UUID | None, Callable[[], object]]] = {
        "a page of 25": (None, agency.page),
        "a get": (first, lambda: agency.reseller(first)),
    }
    for name, (id, call) in reads.items():
        rust, python = microseconds_in_rust(agency, id), microseconds(call)
        added = f"{python - rust:.2f} more than the {rust:.2f} of Rust"
        print(f"{python:10.2f}  {name} (SQLite): {added}")


def main() -> None:
    print(f"Python {sys.version.split()[0]}, microseconds per call")
    crossing()
    with tempfile.TemporaryDirectory() as folder:
        beside_rust(folder)


if __name__ == "__main__":
    main()
