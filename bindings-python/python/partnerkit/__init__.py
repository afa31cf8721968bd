"""The reseller layer of white-label SaaS.

An agency (tenant) creates resellers, gives each a login domain, lets them sign in, switches them
off now, meters what they use and sees it all in one overview.

    platform = partnerkit.Platform.open("sqlite:resellers.db", login_base="partner.example.com")
    agency = platform.ensure_agency("northwind")
    for reseller in agency.search("acme", status="active"):
        ...
"""

import os as _os

from ._native import (
    SCHEMA_VERSION,
    Agency,
    Platform,
    field_codes,
    log_calls,
    national_format,
    phone_countries,
    schema,
)
from ._native import after_fork as _after_fork
from ._native import before_fork as _before_fork
from .asynchronous import AsyncAgency, AsyncPlatform
from .errors import *  # noqa: F403
from .errors import __all__ as _errors
from .records import *  # noqa: F403
from .records import __all__ as _records

__all__ = [
    "SCHEMA_VERSION",
    "Agency",
    "AsyncAgency",
    "AsyncPlatform",
    "Platform",
    "field_codes",
    "log_calls",
    "national_format",
    "phone_countries",
    "schema",
    *_errors,
    *_records,
]

# A child has of its parent's threads only the one that forked, and none of the others' locks
# may be held in it.
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
