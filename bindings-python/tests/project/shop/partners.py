"""The platform, opened where the module is loaded, as the documentation shows."""

from django.conf import settings

from partnerkit import Platform
from partnerkit.django import DjangoStorage

LIMIT = 5

platform = Platform.with_storage(
    DjangoStorage(using=settings.PARTNERKIT_USING),
    login_base="partner.example.com",
    sign_in_limit=LIMIT,
)
