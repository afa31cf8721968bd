"""A host's tests of its own code, run by the tools that it has for that (S63)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import require_postgres
from projects import Project, places

# Each a kind of database, the one that has the tables, and the runs that follow each other.
RUNS = {
    "in-memory": ("memory", "default", [[]]),
    "file": ("file", "other", [["--keepdb"], ["--keepdb", "--parallel", "2", "--shuffle"]]),
    "postgres": ("postgres", "default", [["--keepdb"], ["--keepdb"]]),
    "postgres-in-parallel": ("postgres", "other", [["--parallel", "2", "--shuffle"]]),
}
PYTEST_RUNS = {
    "in-memory": ("memory", "default", [["--no-migrations"]]),
    "file": ("file", "other", [["--reuse-db"], ["--reuse-db", "--numprocesses", "2"]]),
    "postgres": ("postgres", "default", [["--reuse-db"], ["--reuse-db"]]),
    "postgres-in-parallel": ("postgres", "other", [["--numprocesses", "2"]]),
}


def run_all(
    case: tuple[str, str, list[list[str]]], folder: Path, atomic: bool, *command: str
) -> list[str]:
    kind, using, runs = case
    if kind == "postgres":
        require_postgres()
    project = Project(folder)
    project.using = using
    place = "postgres" if kind == "postgres" else "sqlite"
    with places(place, folder, ["default", "other"]) as databases:
        project.databases = databases
        for alias, database in databases.items():
            database["ATOMIC_REQUESTS"] = atomic
            if kind == "file":
                database["TEST"] = {"NAME": str(folder / f"test_{alias}.sqlite3")}
        return [project.run(*command, *arguments) for arguments in runs]


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("case", RUNS.values(), ids=RUNS)
def test_s63_djangos_runner(
    case: tuple[str, str, list[list[str]]], tmp_path: Path, atomic: bool
) -> None:
    run_all(case, tmp_path, atomic, "manage.py", "test", "shop", "--noinput")


@pytest.mark.parametrize("case", PYTEST_RUNS.values(), ids=PYTEST_RUNS)
def test_s63_pytest(case: tuple[str, str, list[list[str]]], tmp_path: Path) -> None:
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    for said in run_all(case, tmp_path, False, *command):
        assert re.search(r"\b6 passed", said), said
