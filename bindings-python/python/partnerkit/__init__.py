"""The reseller layer of white-label SaaS.

An agency (tenant) creates resellers, gives each a login domain, lets them sign in, switches them
off now, meters what they use and sees it all in one overview.

```python
password = "plain teal walrus 94 umbrella"
platform = partnerkit.Platform.open("sqlite:resellers.db", login_base="partner.example.com")
agency = platform.ensure_agency("northwind")
acme = agency.create_reseller(
    partner_type="own_plans",
    name="Acme Télécom",
    email="owner@acme.example",
    phone=("US", "(415) 555-2671"),
    password=password,
    password_confirmation=password,
    contact={"name": "Ann Lee", "email": "ann@acme.example", "phone": "+49 30 901820"},
    login_domain="acme",
)
assert list(agency.search("telecom", status="active")) == [acme]
```

The examples of everything else begin where this one ends: with `platform`, `agency`, `acme` and its
`password`, and `form`, the form of a reseller that is not there yet, as a dict. Those of the
asynchronous handles have asynchronous ones.

`help("partnerkit.guides")` lists the guides, one for each task.
"""

import os as _os

from . import errors, forms, records, settings
from ._native import (
    SCHEMA_VERSION,
    Agency,
    Platform,
    Search,
    field_codes,
    log_calls,
    national_format,
    phone_countries,
    schema,
)
from ._native import VERSION as __version__
from ._native import after_fork as _after_fork
from ._native import before_fork as _before_fork
from .asynchronous import AsyncAgency, AsyncPlatform
from .errors import *  # noqa: F403
from .forms import *  # noqa: F403
from .records import *  # noqa: F403
from .settings import *  # noqa: F403

__all__ = [
    "SCHEMA_VERSION",
    "Agency",
    "AsyncAgency",
    "AsyncPlatform",
    "Platform",
    "Search",
    "__version__",
    "field_codes",
    "log_calls",
    "national_format",
    "phone_countries",
    "schema",
]
__all__ += errors.__all__
__all__ += forms.__all__
__all__ += records.__all__
__all__ += settings.__all__

# A child has only the thread that forked, so no other thread may hold a lock at the fork.
if hasattr(_os, "register_at_fork"):
    _os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
