"""What the program is told from outside."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one portal."""

    # The token never appears in the text of this object, so that no log can show it.
    agency_token: str = field(repr=False)
    agency: str = "northwind"
    store: str = "sqlite:portal.db"
    login_base: str = "partner.localhost"
    # From one address twenty sign-ins may fail at once, and then one more a minute.
    source_limit: tuple[int, timedelta] = (20, timedelta(minutes=1))
    upkeep_every: timedelta = timedelta(minutes=5)

    @classmethod
    def from_environment(cls) -> Self:
        """Reads the `PORTAL_…` variables; only the token has no default."""
        token = os.environ.get("PORTAL_AGENCY_TOKEN", "")
        if len(token) < 16:
            raise SystemExit("PORTAL_AGENCY_TOKEN must be set, to 16 characters or more")
        return cls(
            agency_token=token,
            agency=os.environ.get("PORTAL_AGENCY", cls.agency),
            store=os.environ.get("PORTAL_STORE", cls.store),
            login_base=os.environ.get("PORTAL_LOGIN_BASE", cls.login_base),
        )
