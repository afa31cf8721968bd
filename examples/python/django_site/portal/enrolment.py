"""A new reseller and its first invoice: both or neither."""

import partnerkit
from django.db import transaction

from .models import Invoice
from .platform import agency


def enrol(draft: partnerkit.ResellerDraft, fee_cents: int, actor: str) -> partnerkit.Reseller:
    """Creates a reseller, and the invoice for setting it up, in one transaction."""
    northwind = agency().acting_as(actor)
    with transaction.atomic():
        reseller = northwind.create_reseller(**draft)
        Invoice.objects.create(reseller=reseller.id, purpose="Setup fee", cents=fee_cents)
    return reseller
