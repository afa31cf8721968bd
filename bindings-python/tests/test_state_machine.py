"""Any steps in any order: a Django project's database answers as the store in memory does."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from partnerkit import Platform
from partnerkit.django import DjangoStorage

import vectors
from conftest import empty

LABELS = ["acme", "globex", "initech", "hooli", "umbrella", "www"]
NAMES = ["Véronique", "veronique", "ŁÓDŹ", "東京 大学", "100 %", "Zürich"]
TEXTS = ["", "veron", "lodz", "大", "%", "example acme"]
METRICS = ["messages", "whatsapp_messages", "team_members"]
AGENCIES = ["northwind", "tailspin"]
UNKNOWN = "00000000-0000-7000-8000-000000000000"
DAY = 86_400_000


class World:
    """A platform, and the ids that it has given, in the order of creation."""

    def __init__(self, platform: Platform, clock: vectors.Clock) -> None:
        self.platform = platform
        self.clock = clock
        self.ids: list[str] = []
        for agency in AGENCIES:
            platform.create_agency(agency)

    def perform(self, step: dict[str, Any]) -> object:
        """The answer, with ids as the numbers of their resellers."""
        if "forward" in step:
            self.clock.at += step["forward"] * vectors.MILLISECOND
            return None
        numbers = {f"#{number}": id for number, id in enumerate(self.ids)}
        args = replaced(step["with"], {"#": UNKNOWN} | numbers)
        failed, answer = vectors.attempt(self.platform, step, args)
        if not failed and step["call"].startswith("create_reseller"):
            created = answer if isinstance(answer, list) else [answer]
            new = [c["id"] for c in created if "id" in c and c["id"] not in self.ids]
            self.ids.extend(new)
        return failed, shown(answer, {id: f"#{number}" for number, id in enumerate(self.ids)})


def replaced(value: Any, by: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: replaced(item, by) for name, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, by) for item in value]
    return by.get(value, UNKNOWN) if isinstance(value, str) and value[:1] == "#" else value


def shown(value: Any, ids: dict[str, str]) -> Any:
    """Without what each platform draws for itself: ids of entries, and cursors."""
    if isinstance(value, dict):
        known = {name: shown(item, ids) for name, item in value.items()}
        if "sequence" in known:
            known["id"] = "*"
        if known.get("next"):
            known["next"] = "*"
        return known
    if isinstance(value, list):
        return [shown(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


def steps(random: Random) -> list[dict[str, Any]]:
    return [one for _ in range(random.randint(5, 40)) for one in (step(random), {"forward": 1})]


def step(random: Random) -> dict[str, Any]:
    pick, number = random.choice, random.randrange
    id = f"#{number(6)}"
    version = pick([None, None, number(4)])
    but = {
        "name": pick(NAMES),
        "email": f"{pick(['owner', 'OWNER'])}@{pick(LABELS)}.example",
        "external_id": pick([None, None, pick(LABELS)]),
    }
    form = {"label": pick(LABELS), "but": but}
    event = {"reseller": id, "metric": pick(METRICS), "at": 1_773_576_000_000 - number(40) * DAY}
    events = [event | {"id": f"e-{number(20)}", "quantity": number(7)} for _ in range(4)]
    conditions = {
        "text": pick(TEXTS),
        "sort": pick(["joined", "name", "email"]),
        "descending": pick([True, False]),
        "status": pick([None, "active"]),
        "limit": number(5) + 1,
        "with_total": True,
    }
    made: list[tuple[str, dict[str, Any]]] = [
        *[("create_reseller", form)] * 4,
        ("create_reseller", form | {"idempotency_key": f"key-{number(4)}"}),
        ("create_resellers", {"forms": [form, {"label": pick(LABELS)}, {"label": pick(LABELS)}]}),
        ("update_reseller", {"id": id, "version": version} | but),
        ("deactivate", {"id": id, "reason": pick(NAMES)}),
        ("activate", {"id": id}),
        ("rename_login_domain", {"id": id, "version": version, "login_domain": pick(LABELS)}),
        ("change_partner_type", {"id": id, "partner_type": pick(["commission", "own_plans"])}),
        ("delete_reseller", {"id": id}),
        ("set_allowance", {"id": id, "metric": "messages", "limit": number(30)}),
        (
            "consume",
            {"reseller": id, "metric": "messages", "quantity": number(9), "id": f"c-{number(8)}"},
        ),
        ("record_usage", {"events": events}),
        ("page", conditions),
        ("configure", {"reserved_labels": [pick(LABELS)], "capacity": {"messages": number(9)}}),
        ("changes", {"after": number(16), "limit": number(20) + 1}),
        ("plan_deletion", {"id": id}),
        ("overview", {}),
    ]
    elsewhere: list[dict[str, Any]] = [
        {"call": "domain_availability", "with": {"label": pick(LABELS)}},
        {"call": "resolve_host", "with": {"host": f"{pick(LABELS)}.partner.example.com"}},
        {"call": "maintain", "with": {"budget": number(50) + 1}},
        {"forward": number(20) * DAY},
    ]
    if number(6) == 0:
        return pick(elsewhere)
    call, with_ = pick(made)
    return {"call": call, "on": pick([AGENCIES[0]] * 4 + AGENCIES), "with": with_}


def test_a_django_database_answers_as_memory_does(alias: str) -> None:
    for seed in range(25):
        empty(alias)
        worlds = []
        for django in (False, True):
            clock = vectors.Clock()
            options: dict[str, Any] = {"login_base": "partner.example.com", "clock": clock}
            if django:
                platform = Platform.with_storage(DjangoStorage(using=alias), **options)
            else:
                platform = Platform.open("memory:", **options)
            worlds.append(World(platform, clock))
        for number, one in enumerate(steps(Random(seed))):
            in_memory, in_django = (world.perform(one) for world in worlds)
            assert in_django == in_memory, f"seed {seed}, step {number}: {one}"


@pytest.mark.parametrize("seed", range(3))
def test_steps_are_not_all_refused(seed: int) -> None:
    clock = vectors.Clock()
    world = World(Platform.open("memory:", clock=clock), clock)
    answers = [world.perform(one) for one in steps(Random(seed))]
    succeeded = [a for a in answers if isinstance(a, tuple) and not a[0]]
    assert len(succeeded) > 2
