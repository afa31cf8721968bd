"""The pages of the agency's staff."""

import re
from html import unescape
from uuid import uuid4

from django.contrib.auth.models import User

from ..models import Invoice
from ..platform import agency
from .world import PASSWORD, Case, typed


def errors_of(page: str) -> dict[str, str]:
    """Which error stands beside which field."""
    found = re.findall(
        r'<ul class="errorlist" id="id_(\w+)_error"><li>(.*?)</li></ul>', page, re.DOTALL
    )
    return {name: unescape(text) for name, text in found}


class StaffTest(Case):
    """Somebody of the agency's staff looks after the resellers."""

    def test_strangers_are_sent_away(self) -> None:
        User.objects.create_user("eve", password=PASSWORD)
        eve = self.browser("localhost")
        eve.post("/sign-in", {"username": "eve", "password": PASSWORD})
        for browser in (eve, self.browser("localhost")):
            for path in ("/", "/new"):
                self.assertIn("/sign-in", browser.get(path).headers["Location"])

    def test_a_new_reseller_has_an_invoice(self) -> None:
        answer = self.staff().post("/new", typed("acme"))
        self.assertEqual(answer.status_code, 302, answer.text)
        (acme,) = agency().page().resellers
        self.assertEqual(acme.login_domain, "acme")
        self.assertEqual(Invoice.objects.get().reseller, acme.id)
        self.assertEqual({change.actor for change in agency().changes()[1:]}, {"ann"})
        self.assertEqual(self.reseller("acme").get("/").status_code, 200)

    def test_errors_stand_beside_their_fields(self) -> None:
        wrong = typed(
            "Acme",
            name="",
            email="nobody",
            phone_number="12",
            password="short",
            contact_phone_number="",
            website="ftp://acme.example",
        )
        answer = self.staff().post("/new", wrong)
        self.assertEqual(answer.status_code, 422)
        self.assertEqual(
            errors_of(answer.text),
            {
                "name": "Name is required.",
                "email": "Email is not valid: expected an address like ann@example.com.",
                "phone_number": "Phone is not valid: expected a number like +49 30 901820, "
                "or one of a country that is given with it.",
                "password": "Password is too short (min 15).",
                "password_confirmation": "Password again does not match.",
                "contact_phone_number": "Contact's phone, with + is required.",
                "login_domain": "Login domain must not contain capital letters.",
                "website": "Website must begin with https:// or http://.",
            },
        )
        self.assertNotIn('value="short"', answer.text)
        self.assertEqual(agency().page().resellers, ())

    def test_what_another_reseller_has_is_taken(self) -> None:
        self.enrol("acme")
        answer = self.staff().post("/new", typed("acme"))
        self.assertEqual(
            errors_of(answer.text),
            {
                "email": "Email is already in use.",
                "login_domain": "Login domain is already in use.",
            },
        )
        self.assertEqual(Invoice.objects.count(), 1)

    def test_the_sites_own_field_is_checked_too(self) -> None:
        answer = self.staff().post("/new", typed("acme", fee_cents="-1"))
        self.assertEqual(answer.status_code, 422)
        self.assertEqual(list(errors_of(answer.text)), ["fee_cents"])
        self.assertEqual(agency().page().resellers, ())

    def test_search_and_the_next_page(self) -> None:
        for number in range(26):
            self.enrol("acme" + chr(ord("a") + number))
        self.enrol("globex")
        staff = self.staff()
        first = staff.get("/?text=acme").text
        self.assertIn("26 found", first)
        self.assertNotIn("Globex", first)
        following = re.search(r'<a href="([^"]+)">Next</a>', first)
        assert following
        self.assertIn("(acmea)", staff.get("/" + unescape(following[1])).text)
        self.assertIn("(globex)", staff.get("/?text=TELECOM").text)
        self.assertEqual(staff.get("/?after=damaged").status_code, 400)

    def test_switching_off_and_on(self) -> None:
        acme = self.enrol("acme")
        staff, browser = self.staff(), self.reseller("acme")
        answer = staff.post(f"/{acme.id}/deactivate", {"reason": "nonpayment"}, form_at="/")
        self.assertEqual(answer.status_code, 302)
        self.assertEqual(agency().reseller(acme.id).deactivation_reason, "nonpayment")
        self.assertEqual(browser.get("/").status_code, 302)
        staff.post(f"/{acme.id}/activate", {}, form_at="/")
        self.assertEqual(agency().reseller(acme.id).status, "active")
        answer = staff.post(f"/{uuid4()}/activate", {}, form_at="/")
        self.assertEqual(answer.status_code, 404)

    def test_a_request_without_the_forms_token_is_refused(self) -> None:
        acme = self.enrol("acme")
        staff = self.staff()
        answer = staff.post(f"/{acme.id}/deactivate", {"csrfmiddlewaretoken": "x"}, form_at="/")
        self.assertEqual(answer.status_code, 403)
        self.assertEqual(agency().reseller(acme.id).status, "active")
