"""PartnerKit, on the site's own database."""

import partnerkit
from django.conf import settings
from partnerkit.django import DjangoStorage

# It asks the database for nothing until it is used.
platform = partnerkit.Platform.with_storage(
    DjangoStorage(), login_base=settings.LOGIN_BASE, source_limit=settings.SOURCE_LIMIT
)


def agency() -> partnerkit.Agency:
    """The agency of this site, which the first request creates."""
    return platform.ensure_agency(settings.AGENCY)
