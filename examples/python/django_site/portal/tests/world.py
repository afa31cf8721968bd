"""What the tests are about: the agency's staff and its resellers."""

from typing import Any, cast

import partnerkit
from django.contrib.auth.models import User
from django.test import LiveServerTestCase

from ..enrolment import enrol
from .browser import Browser

PASSWORD = "plain teal walrus 94 umbrella"


def draft(label: str, **changed: Any) -> partnerkit.ResellerDraft:
    """A new reseller."""
    form: dict[str, Any] = {
        "partner_type": "own_plans",
        "name": f"{label.title()} Télécom",
        "email": f"owner@{label}.example",
        "phone": ("US", "(415) 555-2671"),
        "password": PASSWORD,
        "password_confirmation": PASSWORD,
        "contact": {
            "name": "Ann Lee",
            "email": f"ann@{label}.example",
            "phone": "+49 30 901820",
        },
        "login_domain": label,
    }
    return cast(partnerkit.ResellerDraft, {**form, **changed})


def typed(label: str, **changed: str) -> dict[str, str]:
    """The same as a browser sends it, with a fee."""
    return {
        "partner_type": "own_plans",
        "name": f"{label.title()} Télécom",
        "email": f"owner@{label}.example",
        "phone_country": "US",
        "phone_number": "(415) 555-2671",
        "password": PASSWORD,
        "password_confirmation": PASSWORD,
        "contact_name": "Ann Lee",
        "contact_email": f"ann@{label}.example",
        "contact_phone_number": "+49 30 901820",
        "login_domain": label,
        "website": "",
        "fee_cents": "4900",
        **changed,
    }


class Case(LiveServerTestCase):
    """A test over real HTTP."""

    def browser(self, host: str) -> Browser:
        """A browser that is closed when the test ends."""
        browser = Browser(self.live_server_url, host)
        self.addCleanup(browser.close)
        return browser

    def staff(self) -> Browser:
        """A browser in which somebody of the agency's staff is signed in."""
        User.objects.create_user("ann", password=PASSWORD, is_staff=True)
        browser = self.browser("localhost")
        answer = browser.post("/sign-in", {"username": "ann", "password": PASSWORD})
        self.assertEqual(answer.status_code, 302)
        return browser

    def enrol(self, label: str) -> partnerkit.Reseller:
        """Creates a reseller."""
        return enrol(draft(label), 4_900, "tests")

    def reseller(self, label: str) -> Browser:
        """A browser in which a reseller is signed in."""
        browser = self.browser(f"{label}.partner.localhost")
        answer = self.sign_in(browser, label)
        self.assertEqual(answer.status_code, 302)
        return browser

    def sign_in(self, browser: Browser, label: str, password: str = PASSWORD) -> Any:
        """Sends the form for signing in."""
        return browser.post(
            "/sign-in", {"email": f"owner@{label}.example", "password": password}
        )
