"""The agency's side."""

import pytest

from .world import World, form


@pytest.mark.parametrize("token", ["", "wrong"])
def test_only_the_agency_may_ask(world: World, token: str) -> None:
    with world.agency(token) as stranger:
        for path in ("/agency/overview", "/agency/resellers", "/agency/csv"):
            assert stranger.get(path).status_code == 401


def test_a_wrong_form_is_answered_with_every_field(world: World) -> None:
    world.create("acme")
    wrong = form("Acme", name="", email="nobody", password="short", colour="red")
    with world.agency() as agency:
        answer = agency.post("/agency/resellers", json=wrong)
        assert answer.status_code == 422
        errors = [(e["field"], e["code"]) for e in answer.json()["errors"]]
        assert errors == [
            ("name", "empty"),
            ("email", "invalid"),
            ("password", "too_short"),
            ("password_confirmation", "mismatch"),
            ("login_domain", "uppercase"),
            ("colour", "unknown_field"),
        ]
        assert all(e["message"] for e in answer.json()["errors"])
        assert agency.get("/agency/overview").json()["active_resellers"] == 1


def test_what_another_reseller_has_is_taken(world: World) -> None:
    world.create("acme")
    with world.agency() as agency:
        answer = agency.post("/agency/resellers", json=form("acme"))
    assert answer.status_code == 422
    errors = [(e["field"], e["code"]) for e in answer.json()["errors"]]
    assert errors == [("email", "taken"), ("login_domain", "taken")]


@pytest.mark.parametrize("body", ["[]", "7", "{", '"text"'])
def test_a_body_that_is_no_form_is_refused_in_the_same_shape(world: World, body: str) -> None:
    with world.agency() as agency:
        headers = {"Content-Type": "application/json"}
        answer = agency.post("/agency/resellers", content=body, headers=headers)
    assert answer.status_code == 422
    assert {"field", "code", "message"} <= answer.json()["errors"][0].keys()


def test_a_repeated_request_creates_once(world: World) -> None:
    first = world.create("acme", idempotency_key="request-1")
    assert world.create("acme", idempotency_key="request-1") == first


def test_search_goes_on_from_a_cursor(world: World) -> None:
    for label in ("acme", "globex", "initech"):
        world.create(label)
    with world.agency() as agency:
        query = {"text": "telecom", "sort": "name", "limit": "2"}
        first = agency.get("/agency/resellers", params=query).json()
        assert [r["login_domain"] for r in first["resellers"]] == ["acme", "globex"]
        assert first["total"] == {"count": 3, "exact": True}
        query["after"] = first["next"]
        second = agency.get("/agency/resellers", params=query).json()
        assert [r["login_domain"] for r in second["resellers"]] == ["initech"]
        assert second["next"] is None

        query["after"] = "damaged"
        answer = agency.get("/agency/resellers", params=query)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("id", ["00000000-0000-7000-8000-000000000000", "no-id-at-all"])
def test_an_unknown_reseller_is_not_found(world: World, id: str) -> None:
    with world.agency() as agency:
        for answer in (
            agency.get(f"/agency/resellers/{id}"),
            agency.post(f"/agency/resellers/{id}/deactivate"),
            agency.put(f"/agency/resellers/{id}/allowances/messages", json={"limit": 1}),
        ):
            assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_switching_off_and_on(world: World) -> None:
    acme = world.create("acme")
    with world.agency() as agency:
        path = f"/agency/resellers/{acme}"
        off = agency.post(f"{path}/deactivate", json={"reason": "nonpayment"}).json()
        assert (off["status"], off["deactivation_reason"]) == ("inactive", "nonpayment")
        found = agency.get("/agency/resellers", params={"status": "inactive"}).json()
        assert [r["id"] for r in found["resellers"]] == [acme]
        on = agency.post(f"{path}/activate").json()
        assert on["status"] == "active"
