"""What the tests are about: two resellers, and clients for both sides."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any
from urllib.parse import unquote

import httpx

from ..app import create_app
from ..mail import Message
from ..settings import Settings
from .server import serving

TOKEN = "a token of the tests only"
PASSWORD = "plain teal walrus 94 umbrella"
ACME = "acme.partner.example.com"
GLOBEX = "globex.partner.example.com"


def form(label: str, **changed: Any) -> dict[str, Any]:
    """The JSON of a new reseller."""
    return {
        "partner_type": "own_plans",
        "name": f"{label.title()} Télécom",
        "email": f"owner@{label}.example",
        "phone": {"country": "US", "number": "(415) 555-2671"},
        "password": PASSWORD,
        "password_confirmation": PASSWORD,
        "contact": {
            "name": "Ann Lee",
            "email": f"ann@{label}.example",
            "phone": "+49 30 901820",
        },
        "login_domain": label,
        **changed,
    }


@dataclass(frozen=True)
class World:
    """One running portal, and the mails that it has sent."""

    address: str
    mails: SimpleQueue[Message] = field(default_factory=SimpleQueue)

    def agency(self, token: str = TOKEN) -> httpx.Client:
        """A program of the agency's. It waits as long as it must."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=None)

    def visitor(self, host: str, stamp: str | None = None) -> httpx.Client:
        """A browser at a reseller's host name."""
        headers = {"Host": host} | ({"Cookie": f"stamp={stamp}"} if stamp else {})
        return httpx.Client(base_url=self.address, headers=headers, timeout=None)

    def create(self, label: str, **changed: Any) -> str:
        """Creates a reseller, and gives its id."""
        with self.agency() as agency:
            answer = agency.post("/agency/resellers", json=form(label, **changed))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def try_sign_in(self, label: str, password: str = PASSWORD) -> httpx.Response:
        """Signs in at the reseller's own host name."""
        typed = {"email": f"Owner@{label}.example", "password": password}
        with self.visitor(f"{label}.partner.example.com") as visitor:
            return visitor.post("/sign-in", json=typed)

    def sign_in(self, label: str, password: str = PASSWORD) -> str:
        """Signs in, and gives the stamp that the cookie holds."""
        answer = self.try_sign_in(label, password)
        assert answer.status_code == 204, answer.text
        found = re.match(r"stamp=([^;]+);", answer.headers["Set-Cookie"])
        assert found
        return found[1]

    def own_page(self, host: str, stamp: str | None) -> httpx.Response:
        """Asks for the page of whoever is signed in."""
        with self.visitor(host, stamp) as visitor:
            return visitor.get("/me")


def token_in(mail: Message) -> str:
    """The token that a mail holds."""
    return unquote(mail.text.rpartition("#")[2])


@contextmanager
def running(settings: Settings) -> Iterator[World]:
    """The portal, over real HTTP."""
    mails: SimpleQueue[Message] = SimpleQueue()
    with serving(create_app(settings, mails.put)) as address:
        yield World(address, mails)
