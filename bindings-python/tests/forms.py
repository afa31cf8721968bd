"""Forms that are right, for tests to make one thing wrong in."""

from __future__ import annotations

from typing import Any

PASSWORD = "plain teal walrus 94 umbrella"


def draft(label: str, **fields: Any) -> dict[str, Any]:
    """The form of an invited reseller."""
    return {
        "partner_type": "own_plans",
        "name": f"The {label} company",
        "email": f"owner@{label}.example",
        "phone": ("US", "(415) 555-2671"),
        "contact": {
            "name": "Ann Lee",
            "email": "ann@contact.example",
            "phone": "+49 30 901820",
        },
        "login_domain": label,
        "invite": True,
        **fields,
    }


def draft_with_password(label: str, **fields: Any) -> dict[str, Any]:
    """The form of a reseller that can sign in."""
    password = {"invite": False, "password": PASSWORD, "password_confirmation": PASSWORD}
    return draft(label, **(password | fields))
