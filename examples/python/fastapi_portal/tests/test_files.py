"""Resellers as CSV files."""

from ..settings import Settings
from .world import GLOBEX, PASSWORD, World, running, token_in


def test_a_file_comes_back_and_goes_in_again(world: World) -> None:
    world.create("acme")
    with world.agency() as agency:
        exported = agency.get("/agency/csv")
        assert exported.headers["Content-Type"].startswith("text/csv")
        assert "attachment" in exported.headers["Content-Disposition"]
        assert "Acme Télécom" in exported.text

        again = agency.post("/agency/csv", files={"file": ("a.csv", exported.content)})
        assert again.json() == {
            "counts": {"created": 0, "existing": 1, "rejected": 0},
            "rejected": [],
        }


def test_new_resellers_are_invited_and_bad_rows_reported(settings: Settings) -> None:
    with running(settings) as world, world.agency() as agency:
        world.create("acme")
        head, row = agency.get("/agency/csv").text.splitlines()
        good = row.replace("acme", "globex").replace("Acme", "Globex")
        bad = good.replace("globex", "Initech")
        file = "\n".join((head, good, bad)).encode()

        dry = agency.post("/agency/csv?dry_run=true", files={"file": ("a.csv", file)})
        assert dry.json()["counts"] == {"created": 1, "existing": 0, "rejected": 1}

        answer = agency.post("/agency/csv", files={"file": ("a.csv", file)}).json()
        assert answer["counts"] == {"created": 1, "existing": 0, "rejected": 1}
        (rejected,) = answer["rejected"]
        assert rejected["line"] == 3
        assert "login_domain" in [e["field"] for e in rejected["errors"]]
    # One row, one mail: the dry run has sent none.
    assert world.mails.get_nowait().to == "owner@globex.example"
    assert world.mails.empty()


def test_a_file_that_is_no_list_of_resellers(world: World) -> None:
    with world.agency() as agency:
        answer = agency.post("/agency/csv", files={"file": ("a.csv", b"a,b\n1,2\n")})
        assert (answer.status_code, answer.json()["error"]) == (422, "validation")
        assert agency.post("/agency/csv").status_code == 422


def test_an_invited_reseller_sets_its_password(world: World) -> None:
    world.create("acme")
    with world.agency() as agency:
        file = agency.get("/agency/csv").text.replace("acme", "globex").encode()
        agency.post("/agency/csv", files={"file": ("a.csv", file)})
    assert world.try_sign_in("globex").status_code == 401
    mail = world.mails.get()
    new = {
        "token": token_in(mail),
        "password": PASSWORD,
        "password_confirmation": PASSWORD,
    }
    with world.visitor(GLOBEX) as visitor:
        assert visitor.post("/password/reset", json=new).status_code == 204
    world.sign_in("globex")
