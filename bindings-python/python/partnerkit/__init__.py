"""The reseller layer of white-label SaaS.

An agency (tenant) creates resellers, gives each a login domain, lets them sign in, switches them
off now, meters what they use and sees it all in one overview.

    platform = partnerkit.Platform.open("sqlite:resellers.db", login_base="partner.example.com")
    agency = platform.ensure_agency("northwind")
    for reseller in agency.search("acme", status="active"):
        ...
"""

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
from .errors import *  # noqa: F403
from .errors import __all__ as _errors
from .records import *  # noqa: F403
from .records import __all__ as _records

__all__ = [
    "SCHEMA_VERSION",
    "Agency",
    "Platform",
    "field_codes",
    "log_calls",
    "national_format",
    "phone_countries",
    "schema",
    *_errors,
    *_records,
]
