"""A Django project of a host's, in a folder of its own, with the databases a test gives it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

import hosting

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "python"


class Project:
    """A copy of `project/`, and of the tests' own forms."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        shutil.copytree(
            HERE / "project", self.folder, ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(HERE / "forms.py", self.folder / "shop")
        self.databases: dict[str, dict[str, Any]] = {}
        self.using = "default"

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What a Python program of the project prints."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "PROJECT_DATABASES": json.dumps(self.databases),
            "PROJECT_USING": self.using,
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(PACKAGE)]),
        }
        # The outer pytest's own.
        for name in ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_VERSION"):
            environment.pop(name, None)
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        said = f"{done.stdout}\n{done.stderr}"
        assert (done.returncode != 0) == fails, said
        return said if fails else done.stdout

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def migrate(self) -> None:
        """As a host does once, whose settings for requests are of no use there."""
        usual = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True}
        asked = self.databases
        self.databases = {alias: found | usual for alias, found in asked.items()}
        for alias in self.databases:
            self.manage("migrate", "--database", alias, "--verbosity", "0")
        self.databases = asked


@contextmanager
def places(kind: str, folder: Path, aliases: list[str]) -> Iterator[dict[str, dict[str, Any]]]:
    """Settings of empty databases; those on the server go away at the end."""
    if kind == "sqlite":
        yield {alias: hosting.sqlite(str(folder / f"{alias}.sqlite3")) for alias in aliases}
        return
    assert hosting.POSTGRES_URL
    names = {alias: f"partnerkit_project_{uuid4().hex}" for alias in aliases}
    with psycopg.connect(hosting.POSTGRES_URL, autocommit=True) as server:
        for name in names.values():
            server.execute(f"CREATE DATABASE {name}")
        try:
            yield {
                alias: hosting.postgres(hosting.POSTGRES_URL, name)
                for alias, name in names.items()
            }
        finally:
            for name in names.values():
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
                server.execute(f"DROP DATABASE IF EXISTS test_{name} WITH (FORCE)")
