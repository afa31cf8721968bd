"""The pages on a reseller's host."""

from ..platform import agency
from .world import Case


class ResellerTest(Case):
    """A reseller signs in at its own host."""

    def test_signing_in_opens_the_own_page(self) -> None:
        self.enrol("acme")
        browser = self.browser("acme.partner.localhost")
        self.assertEqual(browser.get("/").headers["Location"], "/sign-in")
        self.assertEqual(self.sign_in(browser, "acme").headers["Location"], "/")
        page = browser.get("/").text
        self.assertIn("Acme Télécom", page)
        self.assertIn("Setup fee: 49.00", page)

    def test_the_cookie_holds_no_stamp(self) -> None:
        self.enrol("acme")
        browser = self.browser("acme.partner.localhost")
        (header,) = (
            header
            for header in self.sign_in(browser, "acme").headers.get_list("set-cookie")
            if header.startswith("sessionid=")
        )
        for part in ("HttpOnly", "SameSite=Lax", "Secure"):
            self.assertIn(part, header)
        self.assertNotIn("northwind", header)  # every stamp begins with its agency

    def test_a_wrong_sign_in_tells_no_reason(self) -> None:
        self.enrol("acme")
        browser = self.browser("acme.partner.localhost")
        for label, password in (("acme", "a guess"), ("nobody", "a guess")):
            answer = self.sign_in(browser, label, password)
            self.assertEqual(answer.status_code, 401)
            self.assertIn("The email or the password is wrong.", answer.text)
        self.assertEqual(browser.get("/").status_code, 302)

    def test_too_many_failures_from_one_address_must_wait(self) -> None:
        self.enrol("acme")
        browser = self.browser("acme.partner.localhost")
        attempt = 0
        while (answer := self.sign_in(browser, f"nobody-{attempt}")).status_code == 401:
            attempt += 1
        self.assertEqual(answer.status_code, 429)
        self.assertIn("Try again in", answer.text)

    def test_a_session_is_for_one_host_only(self) -> None:
        self.enrol("acme")
        self.enrol("globex")
        acme, globex = self.reseller("acme"), self.browser("globex.partner.localhost")
        globex.cookies = dict(acme.cookies)
        self.assertEqual(acme.get("/").status_code, 200)
        self.assertEqual(globex.get("/").headers["Location"], "/sign-in")

    def test_switched_off_means_now(self) -> None:
        acme = self.enrol("acme")
        browser = self.reseller("acme")
        self.assertEqual(browser.get("/").status_code, 200)
        agency().deactivate(acme.id)
        self.assertEqual(browser.get("/").headers["Location"], "/sign-in")
        self.assertEqual(self.sign_in(browser, "acme").status_code, 401)
        agency().activate(acme.id)
        self.assertEqual(browser.get("/").status_code, 302)
        self.assertEqual(self.sign_in(browser, "acme").status_code, 302)

    def test_signing_out_ends_the_session(self) -> None:
        self.enrol("acme")
        browser = self.reseller("acme")
        before = dict(browser.cookies)
        self.assertEqual(browser.post("/sign-out", {}, form_at="/").status_code, 302)
        browser.cookies = before
        self.assertEqual(browser.get("/").headers["Location"], "/sign-in")

    def test_an_unknown_host_is_not_found(self) -> None:
        self.assertEqual(self.browser("nobody.partner.localhost").get("/").status_code, 404)
        with self.assertLogs("django.security.DisallowedHost"):
            self.assertEqual(self.browser("elsewhere.example").get("/").status_code, 400)

    def test_the_staff_pages_are_not_here(self) -> None:
        self.enrol("acme")
        self.assertEqual(self.browser("acme.partner.localhost").get("/new").status_code, 404)
