"""Requests to a host's project under every setting of its transactions: failures count, and the
limit holds (S19)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import require_postgres
from projects import Project, places

SETTINGS = {
    "usual": {},
    "atomic": {"ATOMIC_REQUESTS": True},
    "no_autocommit": {"AUTOCOMMIT": False},
    "both": {"ATOMIC_REQUESTS": True, "AUTOCOMMIT": False},
}
LIMIT = 5


@pytest.fixture(params=["sqlite", "postgres"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    if request.param == "postgres":
        require_postgres()
    project = Project(tmp_path)
    with places(request.param, tmp_path, ["default", "other"]) as databases:
        project.databases = databases
        yield project


def attacked(project: Project, way: str) -> None:
    """Migrates, attacks, and looks at what came back."""
    project.migrate()
    found = json.loads(project.run("-m", "shop.attack", way))
    (status, created), page = found["created"], found["page"]
    assert (status, created["resellers"]) == (200, 1)
    assert page == [200, {"found": ["acme"]}]
    assert [answer["granted"] for answer in found["consumed"]] == [True, True, True, False]
    assert found["at_first"] == [200, {"agency": "acme"}]
    assert (found["four"], found["failures_of_four"]) == ([403] * 4, 4)
    assert (found["then"], found["failures_then"]) == ([200, {"agency": "acme"}], 0)
    assert found["asynchronous"] == [403, 1, 200]
    assert set(found["guesses"]) == {403}
    assert found["failures"] == LIMIT
    assert found["right_after_the_limit"] == 403


@pytest.mark.parametrize("settings", SETTINGS)
def test_s19_no_setting_of_the_host_lets_anybody_guess(project: Project, settings: str) -> None:
    project.databases["default"] |= SETTINGS[settings]
    attacked(project, "client")


@pytest.mark.parametrize("settings", ["both"])
def test_s19_nor_with_a_router_and_another_database(project: Project, settings: str) -> None:
    for database in project.databases.values():
        database |= SETTINGS[settings]
    project.using = "other"
    attacked(project, "client")


@pytest.mark.parametrize("settings", ["atomic"])
def test_s19_nor_a_server_with_threads(project: Project, settings: str) -> None:
    for database in project.databases.values():
        database |= SETTINGS[settings]
    attacked(project, "server")
