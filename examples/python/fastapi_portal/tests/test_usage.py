"""Use and its limit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from .world import ACME, World


def test_every_event_has_an_outcome(world: World) -> None:
    acme = world.create("acme")
    good = {
        "id": "msg-1",
        "reseller": acme,
        "metric": "messages",
        "quantity": 250,
        "at": datetime.now(UTC).isoformat(),
    }
    events = [good, good, {**good, "quantity": 1}, {**good, "id": "msg-2", "quantity": "x"}, 7]
    with world.agency() as agency:
        report = agency.post("/usage/events", json=events)
        assert report.status_code == 200
        kinds = [outcome["kind"] for outcome in report.json()["outcomes"]]
        assert kinds == ["accepted", "duplicate", "conflict", "rejected", "rejected"]
        assert report.json()["outcomes"][3]["field"] == "quantity"
        assert agency.get("/agency/overview").json()["messages"] == 250


def test_a_reached_limit_is_429_with_what_and_until_when(world: World) -> None:
    acme = world.create("acme")
    stamp = world.sign_in("acme")
    with world.agency() as agency:
        agency.put(f"/agency/resellers/{acme}/allowances/messages", json={"limit": 5})
        wish = {"id": "evt-1", "reseller": acme, "metric": "messages", "quantity": 3}
        granted = agency.post("/usage/consume", json=wish)
        assert (granted.status_code, granted.json()["used"]) == (200, 3)
        again = agency.post("/usage/consume", json=wish)
        assert (again.status_code, again.json()["used"]) == (200, 3)  # counted once

        denied = agency.post("/usage/consume", json={**wish, "id": "evt-2"})
        assert denied.status_code == 429
        answer = denied.json()
        assert (answer["reason"], answer["used"], answer["limit"], answer["requested"]) == (
            "limit_reached",
            3,
            5,
            3,
        )
        assert datetime.fromisoformat(answer["resets_at"]) > datetime.now(UTC)
        assert int(denied.headers["Retry-After"]) > 0

        use = world.own_page(ACME, stamp).json()["use"]
        assert (use["messages"]["used"], use["messages"]["limit"]) == (3, 5)
        # Looking has counted as nothing.
        assert agency.get("/agency/overview").json()["messages"] == 3

        agency.put(f"/agency/resellers/{acme}/allowances/messages", json={"limit": None})
        assert agency.post("/usage/consume", json={**wish, "id": "evt-2"}).status_code == 200


def test_a_race_does_not_pass_the_limit(world: World) -> None:
    acme = world.create("acme")
    with world.agency() as agency:
        agency.put(f"/agency/resellers/{acme}/allowances/messages", json={"limit": 5})

        def consume(number: int) -> int:
            wish = {
                "id": f"evt-{number}",
                "reseller": acme,
                "metric": "messages",
                "quantity": 1,
            }
            return agency.post("/usage/consume", json=wish).status_code

        with ThreadPoolExecutor(10) as threads:
            answers = list(threads.map(consume, range(20)))
    assert sorted(answers) == [200] * 5 + [429] * 15


def test_whoever_is_switched_off_consumes_nothing(world: World) -> None:
    acme = world.create("acme")
    with world.agency() as agency:
        agency.post(f"/agency/resellers/{acme}/deactivate")
        wish = {"id": "evt-1", "reseller": acme, "metric": "messages", "quantity": 1}
        denied = agency.post("/usage/consume", json=wish)
    assert (denied.status_code, denied.json()["reason"]) == (403, "inactive")


def test_wrong_wishes_are_refused(world: World) -> None:
    acme = world.create("acme")
    wish = {"id": "evt-1", "reseller": acme, "metric": "messages", "quantity": 1}
    with world.agency() as agency:
        for wrong, field in (
            ({"metric": "letters"}, "metric"),
            ({"metric": "team_members"}, "metric"),
            ({"quantity": -1}, "quantity"),
            ({"quantity": "many"}, "quantity"),
            ({"id": ""}, "id"),
        ):
            answer = agency.post("/usage/consume", json={**wish, **wrong})
            assert answer.status_code == 422
            assert [e["field"] for e in answer.json()["errors"]] == [field]
        answer = agency.put(f"/agency/resellers/{acme}/allowances/messages", json={"limit": -1})
        assert answer.json()["errors"][0]["code"] == "negative"
