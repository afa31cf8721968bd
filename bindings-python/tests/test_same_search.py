"""Ten thousand searches over real organisations: a Django project's database finds the rows that
the store in memory finds, in the same order, while they change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from partnerkit import Agency, Platform, Reseller, ValidationError
from partnerkit.django import DjangoStorage

import vectors
from forms import draft
from hosting import together

ORGANISATIONS = Path(__file__).parents[2] / "tests" / "data" / "organisations.tsv"
FOREIGN = [
    ("北京大学", "info@pku.example"),
    ("東京大学 工学部", "info@u-tokyo.example"),
    ("か\u3099くえん カガク", "info@gakuen.example"),
    ("서울대학교", "info@snu.example"),
    ("Московский университет", "info@мгу.example"),
    ("Ὀδυσσεὺς Πανεπιστήμιο", "info@παράδειγμα.example"),
    ("مُحَمَّد وشركاه", "info@muhammad.example"),
    ("हिन्दी विश्वविद्यालय", "info@hindi.example"),
    ("Łódź Łąka Øre İstanbul", "lodz@laka.example"),
    ("Großer Straßenbau ﬁnanz", "strasse@gross.example"),
    ("Smile 😀 & 👩‍👩‍👧 Co", "smile@emoji.example"),
    ("100% _Bio_ __init__", "under_score@init.example"),
    (r"back\slash C:\dir\ !bang!%", "bang!@escape.example"),
    ('O\'Neil "and" O´Neil ´ ¨', "o'neil@sons.example"),
    ("[a-z]? {1} $1 %s %(x)s", "a+b@bind.example"),
    ("x", "x@x.example"),
]
WILDCARDS = ["%", "_", "\\", "'", '"', "*", "!", "%%", "__", "!%", "%s", "%_", "%' OR '1", "\0"]
COMMON = ["university", "universit", "info@", "office@", ".edu"]
KINDS = ["part"] * 4 + ["common", "several", "several", "short", "short", "foreign", "foreign"]
KINDS += ["absent", "wildcard", "everything"]
AGENCIES = ["northwind", "tailspin"]
BATCH = 500
ROUNDS = 20
SEARCHES = 500
THREADS = 2

Answer = tuple[list[int], bool, object]


def organisations() -> list[tuple[str, str]]:
    lines = ORGANISATIONS.read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines]
    return [(name, f"{role(n)}@{domain}") for n, (name, domain, _) in enumerate(fields)]


def role(number: int) -> str:
    return ["info", "office", "Contact"][number % 3]


NAMES = organisations() + FOREIGN
TEXTS = [text for name in organisations() for text in name]


@dataclass
class World:
    """A platform with the same rows as any other; a row is known by the number of its making."""

    platform: Platform
    clock: vectors.Clock
    random: Random = field(default_factory=lambda: Random(58))
    numbers: dict[str, int] = field(default_factory=dict)
    alive: list[str] = field(default_factory=list)
    made: int = 0

    @property
    def agency(self) -> Agency:
        return self.platform.agency(AGENCIES[0])

    def fill(self) -> None:
        for agency in AGENCIES:
            self.platform.create_agency(agency)
        for start in range(0, len(NAMES), BATCH):
            self.alive += self.create(AGENCIES[0], NAMES[start : start + BATCH])
        self.create(AGENCIES[1], self.random.sample(NAMES, 200))

    def create(self, agency: str, rows: list[tuple[str, str]]) -> list[str]:
        self.clock.at += timedelta(days=1)
        forms = [self.form(name, email) for name, email in rows]
        answers = self.platform.agency(agency).create_resellers(forms)
        ids = [str(one.id) for one in answers if isinstance(one, Reseller)]
        for id in ids:
            self.numbers[id] = len(self.numbers)
        return ids

    def form(self, name: str, email: str) -> dict[str, Any]:
        self.made += 1
        label = "row" + "".join(
            chr(97 + self.made // place % 26) for place in (17_576, 676, 26, 1)
        )
        kind = "commission" if self.made % 3 else "own_plans"
        return draft(label, name=name, email=email, partner_type=kind)

    def change(self) -> None:
        """A few rows, each in its own way."""
        self.clock.at += timedelta(hours=5)
        pick = self.random.choice
        for _ in range(3):
            # A few names are refused, and an email may be somebody's already.
            with suppress(ValidationError):
                self.agency.update_reseller(pick(self.alive), name=pick(NAMES)[0])
            with suppress(ValidationError):
                email = f"n{self.random.randrange(1_000)}.{pick(NAMES)[1]}"
                self.agency.update_reseller(pick(self.alive), email=email)
            self.agency.deactivate(pick(self.alive))
            gone = self.alive.pop(self.random.randrange(len(self.alive)))
            self.agency.delete_reseller(gone)
            self.alive += self.create(AGENCIES[0], [pick(NAMES), pick(FOREIGN)])

    def answers(self, searches: list[Search]) -> list[list[Answer]]:
        return [list(self.pages(one)) for one in searches]

    def pages(self, search: Search) -> Iterator[Answer]:
        after = None
        for _ in range(search.pages):
            agency = self.platform.agency(search.agency)
            page = agency.page(search.text, after=after, **search.conditions)
            ids = [self.numbers[str(one.id)] for one in page.resellers]
            yield ids, page.next is not None, page.total
            after = page.next
            if after is None:
                return


@dataclass(frozen=True)
class Search:
    kind: str
    agency: str
    text: str
    conditions: dict[str, Any]
    pages: int


def rounds() -> Iterator[list[Search]]:
    random = Random(27)
    for number in range(ROUNDS):
        yield [search(random, number) for _ in range(SEARCHES)]


def search(random: Random, number: int) -> Search:
    kind = random.choice(KINDS)
    joined = vectors.Clock().at + timedelta(days=random.randrange(8 + 3 * number))
    narrow = timedelta(days=random.choice([1, 1, 4]))
    conditions = {
        "status": random.choice(["active", "inactive"]) if once_in(random, 6) else None,
        "partner_type": random.choice(["own_plans", "commission"])
        if once_in(random, 6)
        else None,
        "joined_from": joined if once_in(random, 6) else None,
        "joined_before": joined + narrow if once_in(random, 6) else None,
        "sort": random.choice([None, "joined", "name", "email"]),
        "descending": random.choice([None, True, False]),
        "limit": random.choice([None, None, None, 1, 2, 7, 50, 200]),
        "with_total": once_in(random, 4),
    }
    agency = AGENCIES[once_in(random, 12)]
    return Search(kind, agency, text(random, kind), conditions, random.choice([1] * 8 + [2, 3]))


def once_in(random: Random, times: int) -> bool:
    return random.randrange(times) == 0


def text(random: Random, kind: str) -> str:
    match kind:
        case "part":
            return disguised(random, cut(random, random.choice(TEXTS), 12))
        case "common":
            return disguised(random, cut(random, random.choice(COMMON), 10))
        case "several":
            texts = random.choice(NAMES) if once_in(random, 2) else random.sample(TEXTS, 3)
            return random.choice([" ", "\t", "\u3000"]).join(
                disguised(random, cut(random, one, 6)) for one in texts
            )
        case "short":
            return disguised(random, cut(random, random.choice(TEXTS), 2))
        case "foreign":
            return cut(random, random.choice(random.choice(FOREIGN)), 5)
        case "absent":
            return cut(random, random.choice(TEXTS), 9)[::-1] + random.choice(
                ["", "", "ꙮ", " ꙮ"]
            )
        case "wildcard":
            part = cut(random, random.choice(TEXTS), 6)
            at = random.randrange(len(part))
            wildcard = random.choice(WILDCARDS)
            return random.choice([wildcard, part[:at] + wildcard + part[at + 1 :]])
    return random.choice(["", " \t"])


def cut(random: Random, whole: str, most: int) -> str:
    """Some characters that follow each other."""
    start = random.randrange(len(whole))
    return whole[start : start + 1 + random.randrange(most)]


def disguised(random: Random, plain: str) -> str:
    """What folds to the same: in any case, with accents more or less."""
    without = str.maketrans("áàâäãéèêíîïóôöõúüñç", "aaaaaeeeiiioooouunc")
    if once_in(random, 2):
        plain = plain.translate(without)
    changed = [one.upper() if once_in(random, 4) else one for one in plain]
    accented = [
        one + random.choice("\u0301\u0308") if one.isalpha() and once_in(random, 12) else one
        for one in changed
    ]
    return "".join(accented)


def world(open: Any) -> World:
    clock = vectors.Clock()
    made = World(open(clock=clock), clock)
    made.fill()
    return made


@pytest.fixture(scope="module")
def in_memory() -> list[list[list[Answer]]]:
    """What the store in memory answers, round by round."""
    memory = world(vectors.in_memory)
    found = []
    for searches in rounds():
        found.append(memory.answers(searches))
        memory.change()
    return found


def test_s27_s28_s29_s58_a_django_database_finds_what_memory_does(
    alias: str, in_memory: list[list[list[Answer]]]
) -> None:
    storage = DjangoStorage(using=alias)
    django = world(lambda **options: Platform.with_storage(storage, **options))
    for searches, expected in zip(rounds(), in_memory, strict=True):
        parts = together(THREADS, lambda n: django.answers(searches[n::THREADS]))  # noqa: B023
        for n, answers in enumerate(parts):
            for one, found, wanted in zip(
                searches[n::THREADS], answers, expected[n::THREADS], strict=True
            ):
                assert found == wanted, one
        django.change()


def test_s27_the_searches_are_of_every_kind(in_memory: list[list[list[Answer]]]) -> None:
    seen: Counter[str] = Counter()
    for searches, answers in zip(rounds(), in_memory, strict=True):
        for one, pages in zip(searches, answers, strict=True):
            seen[one.kind] += 1
            seen[f"{len(pages)} pages"] += 1
            (ids, more, _) = pages[0]
            seen["nothing" if not ids else "more" if more else "all"] += 1
    assert seen.total() == ROUNDS * SEARCHES * 3 == 30_000
    often = {*KINDS, "2 pages", "nothing", "more", "all"}
    assert all(seen[what] > 400 for what in often) and seen["3 pages"] > 200, seen
