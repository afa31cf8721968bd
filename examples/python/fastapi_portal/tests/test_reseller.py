"""The reseller's side."""

import pytest

from ..settings import Settings
from .world import ACME, GLOBEX, PASSWORD, World, running, token_in

NEW = "nine cobalt otters 17 harbour"


def test_signing_in_opens_the_own_page(world: World) -> None:
    world.create("acme")
    stamp = world.sign_in("acme")
    page = world.own_page(ACME, stamp).json()
    assert page["profile"]["login_domain"] == "acme"
    assert page["use"]["messages"]["used"] == 0


def test_the_cookie_is_for_this_host_and_no_script(world: World) -> None:
    world.create("acme")
    cookie = world.try_sign_in("acme").headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" in cookie
    assert "domain" not in cookie


def test_a_wrong_sign_in_tells_no_reason(world: World) -> None:
    world.create("acme")
    with world.visitor(ACME) as visitor:
        wrong = [
            visitor.post("/sign-in", json=typed)
            for typed in (
                {"email": "owner@acme.example", "password": "a guess"},
                {"email": "nobody@acme.example", "password": PASSWORD},
            )
        ]
    assert [answer.status_code for answer in wrong] == [401, 401]
    assert wrong[0].json() == wrong[1].json()


def test_an_answer_never_repeats_a_password(world: World) -> None:
    world.create("acme")
    with world.visitor(ACME) as visitor:
        answer = visitor.post("/sign-in", json={"email": 1, "password": [PASSWORD]})
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


def test_an_unknown_host_is_not_found(world: World) -> None:
    assert world.try_sign_in("nobody").status_code == 404


def test_a_stamp_is_for_one_host_only(world: World) -> None:
    world.create("acme")
    world.create("globex")
    stamp = world.sign_in("acme")
    assert world.own_page(ACME, stamp).status_code == 200
    assert world.own_page(GLOBEX, stamp).status_code == 401
    assert world.own_page(ACME, None).status_code == 401
    assert world.own_page(ACME, "damaged").status_code == 401


def test_switched_off_means_now(world: World) -> None:
    acme = world.create("acme")
    stamp = world.sign_in("acme")
    assert world.own_page(ACME, stamp).status_code == 200
    with world.agency() as agency:
        agency.post(f"/agency/resellers/{acme}/deactivate")
        assert world.own_page(ACME, stamp).status_code == 401
        assert world.try_sign_in("acme").status_code == 401
        agency.post(f"/agency/resellers/{acme}/activate")
    assert world.own_page(ACME, stamp).status_code == 401  # old stamps stay invalid
    world.sign_in("acme")


def test_signing_out_ends_the_stamp(world: World) -> None:
    world.create("acme")
    stamp = world.sign_in("acme")
    with world.visitor(ACME, stamp) as visitor:
        assert visitor.post("/sign-out").status_code == 204
    assert world.own_page(ACME, stamp).status_code == 401


def test_a_mailed_token_sets_a_password_once(world: World) -> None:
    world.create("acme")
    stamp = world.sign_in("acme")
    with world.visitor(ACME) as visitor:
        forgotten = visitor.post("/password/forgotten", json={"email": "OWNER@acme.example"})
        assert forgotten.status_code == 202
        mail = world.mails.get()  # it is sent after the answer
        assert mail.to == "owner@acme.example"
        assert token_in(mail) not in forgotten.text
        assert token_in(mail) not in repr(mail)

        new = {"token": token_in(mail), "password": NEW, "password_confirmation": "other"}
        answer = visitor.post("/password/reset", json=new)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "mismatch")
        new["password_confirmation"] = NEW
        assert visitor.post("/password/reset", json=new).status_code == 204
        assert visitor.post("/password/reset", json=new).status_code == 401
    assert world.own_page(ACME, stamp).status_code == 401
    assert world.try_sign_in("acme").status_code == 401
    world.sign_in("acme", NEW)


def test_a_foreign_address_gets_no_mail_and_the_same_answer(settings: Settings) -> None:
    with running(settings) as world:
        world.create("acme")
        with world.visitor(ACME) as visitor:
            answer = visitor.post("/password/forgotten", json={"email": "thief@example.com"})
    assert (answer.status_code, answer.json()) == (202, None)
    assert world.mails.empty()  # the server has ended, and would have sent it


def test_too_many_failures_from_one_address_must_wait(world: World) -> None:
    world.create("acme")
    with world.visitor(ACME) as visitor:
        # Each attempt is another account's, so that only the address can be the reason.
        attempt = 0
        while True:
            typed = {"email": f"guess-{attempt}@acme.example", "password": "a guess"}
            answer = visitor.post("/sign-in", json=typed)
            if answer.status_code == 429:
                break
            assert answer.status_code == 401
            attempt += 1
    assert answer.json()["error"] == "throttled"
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", ["/me", "/sign-out"])
def test_nobody_gets_in_without_a_stamp(world: World, path: str) -> None:
    world.create("acme")
    with world.visitor(ACME) as visitor:
        answer = visitor.request("GET" if path == "/me" else "POST", path)
    assert (answer.status_code, answer.json()["error"]) == (401, "access_denied")
