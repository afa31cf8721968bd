"""A reseller and its invoice: both or neither."""

from io import StringIO

import partnerkit
from django.core.management import call_command
from django.db import IntegrityError
from django.test import TransactionTestCase

from ..enrolment import enrol
from ..models import Invoice
from ..platform import agency
from .world import draft


class EnrolmentTest(TransactionTestCase):
    """Transactions are real ones here."""

    def test_both(self) -> None:
        acme = enrol(draft("acme"), 4_900, "tests")
        self.assertEqual(Invoice.objects.get().reseller, acme.id)

    def test_no_reseller_without_an_invoice(self) -> None:
        with self.assertRaises(IntegrityError):
            enrol(draft("acme"), -1, "tests")  # the database refuses this invoice
        self.assertEqual(agency().page().resellers, ())
        self.assertEqual(agency().overview().active_resellers, 0)
        # Its login domain and its email are as free as before.
        enrol(draft("acme"), 4_900, "tests")

    def test_no_invoice_without_a_reseller(self) -> None:
        with self.assertRaises(partnerkit.ValidationError):
            enrol(draft("acme", name=""), 4_900, "tests")
        self.assertFalse(Invoice.objects.exists())

    def test_upkeep(self) -> None:
        enrol(draft("acme"), 4_900, "tests")
        text = StringIO()
        call_command("maintain", stdout=text)
        self.assertEqual(text.getvalue(), "removed 0 rows\n")
