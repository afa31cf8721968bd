"""Any steps in any order: a Django project's database answers as the store in memory does."""

from __future__ import annotations

from random import Random
from typing import Any

from partnerkit import Platform
from partnerkit.django import DjangoStorage

import vectors
from conftest import empty

LABELS = ["acme", "globex", "initech", "hooli", "umbrella", "www"]
NAMES = ["Véronique", "veronique", "ŁÓDŹ", "東京 大学", "100 %", "Zürich"]
TEXTS = ["", "veron", "lodz", "大", "%", "example acme"]
PASSWORDS = ["plain teal walrus 94 umbrella", "another teal walrus 95 umbrella"]
HASH = (  # of the first one
    "$argon2id$v=19$m=19456,t=2,p=1$6lsp4tC7pxMTQYnfBEQjOw"
    "$6F1lBjkR4g2AKpqynByLkctnLrfXjb746R5fd5mCsPE"
)
METRICS = ["messages", "whatsapp_messages", "team_members"]
AGENCIES = ["northwind", "tailspin"]
UNKNOWN = "00000000-0000-7000-8000-000000000000"
DAY = 86_400_000


class World:
    """A platform, and the ids and stamps that it has given, in the order it gave them."""

    def __init__(self, platform: Platform, clock: vectors.Clock) -> None:
        self.platform = platform
        self.clock = clock
        self.ids: list[str] = []
        self.stamps: list[str] = []
        for agency in AGENCIES:
            platform.create_agency(agency)

    def perform(self, step: dict[str, Any]) -> object:
        """The answer, with ids and stamps as their numbers."""
        if "forward" in step:
            self.clock.at += step["forward"] * vectors.MILLISECOND
            return None
        args = replaced(
            step["with"], {number: given for given, number in self.numbers().items()}
        )
        failed, answer = vectors.attempt(self.platform, step, args)
        if not failed:
            self.ids.extend(id for id in created(step, answer) if id not in self.ids)
            if step["call"] == "sign_in":
                self.stamps.append(answer["stamp"])
        return failed, shown(answer, self.numbers())

    def numbers(self) -> dict[str, str]:
        ids = {id: f"#{number}" for number, id in enumerate(self.ids)}
        return ids | {stamp: f"#s{number}" for number, stamp in enumerate(self.stamps)}

    def everything(self) -> list[object]:
        """All that can be seen: records with their versions, who has a label, which stamps live."""
        calls: list[dict[str, Any]] = []
        for agency in AGENCIES:
            for sort in ("joined", "name", "email"):
                calls.append(
                    {"call": "page", "on": agency, "with": {"sort": sort, "limit": 200}}
                )
            calls.append({"call": "changes", "on": agency, "with": {"limit": 1_000}})
            for call in ("overview", "settings"):
                calls.append({"call": call, "on": agency, "with": {}})
        for label in LABELS:
            host = f"{label}.partner.example.com"
            calls.append({"call": "resolve_host", "with": {"host": host}})
            calls.append({"call": "domain_availability", "with": {"label": label}})
        for number in range(len(self.stamps)):
            calls.append(
                {"call": "check_access", "with": {"stamp": f"#s{number}", "host": None}}
            )
        return [self.perform(call) for call in calls]


def created(step: dict[str, Any], answer: Any) -> list[str]:
    """The ids of resellers that there are now."""
    match step["call"]:
        case "create_reseller":
            return [answer["id"]]
        case "create_resellers":
            return [one["id"] for one in answer if "id" in one]
        case "import_csv" if not step["with"]["dry_run"]:
            outcomes = [row["outcome"] for row in answer["rows"]]
            return [one["created"] for one in outcomes if "created" in one]
    return []


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
        # Of a dry run, nobody has the id.
        if known.get("created") not in ids.values() and isinstance(known.get("created"), str):
            known["created"] = "*"
        return known
    if isinstance(value, list):
        return [shown(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


def steps(random: Random) -> list[dict[str, Any]]:
    """Three resellers that can sign in, and then anything."""
    but = {"invite": False, "password_hash": HASH}
    first: list[dict[str, Any]] = [
        {"call": "create_reseller", "on": AGENCIES[0], "with": {"label": label, "but": but}}
        for label in LABELS[:3]
    ]
    rest = (step(random) for _ in range(random.randint(5, 60)))
    return [one for given in (first, rest) for it in given for one in (it, {"forward": 1})]


def step(random: Random) -> dict[str, Any]:
    pick, number = random.choice, random.randrange
    id = f"#{number(5)}"
    version = pick([None, None, number(4)])
    but = {
        "name": pick(NAMES),
        "email": f"{pick(['owner', 'OWNER'])}@{pick(LABELS)}.example",
        "external_id": pick([None, None, pick(LABELS)]),
    }
    if number(2):
        but |= {"invite": False, "password_hash": HASH}
    profile = {name: but[name] for name in ("name", "email", "external_id")}
    form = {"label": pick(LABELS), "but": but}
    password = pick(PASSWORDS)
    event = {
        "reseller": id,
        "metric": pick(METRICS),
        "at": 1_773_576_000_000 - number(40) * DAY,
    }
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
        (
            "create_resellers",
            {"forms": [form, {"label": pick(LABELS)}, {"label": pick(LABELS)}]},
        ),
        *[("update_reseller", {"id": id, "version": version} | profile)] * 2,
        ("deactivate", {"id": id, "reason": pick(NAMES)}),
        ("activate", {"id": id}),
        ("rename_login_domain", {"id": id, "version": version, "login_domain": pick(LABELS)}),
        ("change_partner_type", {"id": id, "partner_type": pick(["commission", "own_plans"])}),
        ("delete_reseller", {"id": id}),
        ("set_allowance", {"reseller": id, "metric": "messages", "limit": number(30)}),
        (
            "consume",
            {
                "reseller": id,
                "metric": "messages",
                "quantity": number(9),
                "id": f"c-{number(8)}",
            },
        ),
        ("record_usage", {"events": events}),
        ("page", conditions),
        ("configure", {"reserved_labels": [pick(LABELS)], "capacity": {"messages": number(9)}}),
        ("changes", {"after": number(16), "limit": number(20) + 1}),
        ("preview_deletion", {"id": id}),
        ("revoke_access", {"id": id}),
        ("set_password", {"id": id, "password": password, "password_confirmation": password}),
        ("import_csv", {"file": file(random), "dry_run": pick([False, False, True])}),
        ("overview", {}),
    ]
    elsewhere: list[dict[str, Any]] = [
        {"call": "domain_availability", "with": {"label": pick(LABELS)}},
        {"call": "resolve_host", "with": {"host": f"{pick(LABELS)}.partner.example.com"}},
        {"call": "maintain", "with": {"budget": number(50) + 1}},
        {"forward": number(20) * DAY},
        {"call": "delete_agency", "with": {"id": pick([*AGENCIES, *AGENCIES[1:] * 3])}},
        {"call": "create_agency", "with": {"id": pick(AGENCIES)}},
        *[{"call": "check_access", "with": {"stamp": f"#s{number(4)}", "host": None}}] * 2,
    ]
    if number(4) == 0:
        return pick(elsewhere)
    if number(5) == 0:
        return {"call": "sign_in", "with": account(random)}
    call, with_ = pick(made)
    return {"call": call, "on": pick([AGENCIES[0]] * 4 + AGENCIES), "with": with_}


def account(random: Random) -> dict[str, str]:
    """What somebody types, mostly as a reseller of that label would."""
    label = random.choice(LABELS[:4])
    email = random.choice([f"owner@{label}.example"] * 3 + [f"OWNER@{LABELS[0]}.example"])
    password = random.choice([PASSWORDS[0]] * 2 + PASSWORDS)
    return {"login_domain": label, "email": email, "password": password}


def file(random: Random) -> str:
    """Three rows; their labels and emails may be one."""
    head = "partner_type,name,email,phone,contact_name,contact_email,contact_phone,login_domain"
    labels = random.choices(LABELS, k=3)
    end = "+4930901820,Ann,ann@x.example,+4930901820"
    rows = [f"commission,{random.choice(NAMES)},owner@{it}.example,{end},{it}" for it in labels]
    return "\n".join([head, *rows])


def test_a_django_database_answers_as_memory_does(alias: str) -> None:
    for seed in range(25):
        empty(alias)
        worlds = []
        for django in (False, True):
            clock = vectors.Clock()
            options: dict[str, Any] = {
                "login_base": "partner.example.com",
                "clock": clock,
                "sign_in_delay_from": 1_000,
                "sign_in_limit": 1_000,
            }
            if django:
                platform = Platform.with_storage(DjangoStorage(using=alias), **options)
            else:
                platform = Platform.open("memory:", **options)
            worlds.append(World(platform, clock))
        for number, one in enumerate(steps(Random(seed))):
            in_memory, in_django = (world.perform(one) for world in worlds)
            assert in_django == in_memory, f"seed {seed}, step {number}: {one}"
        in_memory, in_django = (world.everything() for world in worlds)
        assert in_django == in_memory, f"seed {seed}"


def test_steps_are_not_all_refused() -> None:
    """Each kind of step succeeds some time, a sign-in and a stamp that has ended included."""
    ended: dict[bool, set[str]] = {False: set(), True: set()}
    for seed in range(25):
        clock = vectors.Clock()
        options = {"sign_in_delay_from": 1_000, "sign_in_limit": 1_000}
        platform = Platform.open(
            "memory:", login_base="partner.example.com", clock=clock, **options
        )
        world = World(platform, clock)
        for one in steps(Random(seed)):
            answer = world.perform(one)
            if isinstance(answer, tuple):
                ended[answer[0]].add(one["call"])
    known = {one["call"] for seed in range(25) for one in steps(Random(seed)) if "call" in one}
    assert ended[False] == known
    assert {"sign_in", "check_access", "update_reseller", "delete_agency"} <= ended[True]
