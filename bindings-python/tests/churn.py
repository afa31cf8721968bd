"""What processes that do everything at once agree on, and what must hold in the end."""

from __future__ import annotations

from string import ascii_lowercase

import pytest

from partnerkit import AccessDeniedError, Agency, ChangeKind, Platform

from forms import PASSWORD

AGENCIES = 3
KEYS = 16
LABELS = 24
LIMIT = 3


def label(number: int) -> str:
    return f"acme{ascii_lowercase[number]}"


def holders(platform: Platform) -> dict[str, tuple[str, str]]:
    """Who has each label, by the records of resellers."""
    found: dict[str, tuple[str, str]] = {}
    for id in platform.agencies():
        for reseller in platform.agency(id).search(limit=200):
            assert reseller.login_domain not in found, reseller.login_domain
            found[reseller.login_domain] = (id, str(reseller.id))
    return found


def stopped(agency: Agency) -> list[object]:
    """Whose stop is the last thing that the feed tells of them."""
    last, state = 0, {}
    while changes := agency.changes(last, 1_000):
        last = changes[-1].sequence
        for change in changes:
            if change.kind is ChangeKind.SIGN_IN_LOCKED:
                state[change.reseller] = True
            elif change.kind in (ChangeKind.SIGN_IN_UNLOCKED, ChangeKind.PASSWORD_CHANGED):
                state[change.reseller] = False
    return [reseller for reseller, is_stopped in state.items() if is_stopped]


def assert_stops_stand(platform: Platform) -> None:
    """Nobody comes in who is stopped, be the password right."""
    for agency in map(platform.agency, platform.agencies()):
        stops = stopped(agency)
        for reseller in agency.search(limit=200):
            if reseller.id in stops:
                with pytest.raises(AccessDeniedError):
                    platform.sign_in(reseller.login_domain, reseller.email, PASSWORD)
