"""After `os.fork`: a platform of the parent's is a typed error, and one's own is safe."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from partnerkit import Platform

import hosting
from conftest import require_postgres
from forms import draft

DATABASE = f"partnerkit_fork_{os.getpid()}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "resellers.db"
        yield f"sqlite:{path}"
        assert_sound(path)
        return
    require_postgres()
    assert hosting.POSTGRES_URL
    with psycopg.connect(hosting.POSTGRES_URL, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
        parts = conninfo_to_dict(hosting.POSTGRES_URL)
        user, host, port = parts["user"], parts["host"], parts["port"]
        password = f":{parts['password']}" if parts.get("password") else ""
        yield f"postgres://{user}{password}@{host}:{port}/{DATABASE}"
        server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def assert_sound(path: Path) -> None:
    file = sqlite3.connect(path)
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    file.close()


def stored(url: str, way: str) -> list[str]:
    """What a program and its children were told is stored, which is what is there."""
    script = Path(__file__).with_name("child_forks.py")
    done = subprocess.run(
        [sys.executable, str(script), url, way],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout.split()
    agency = Platform.open(url).agency("northwind")
    assert sorted(reseller.login_domain for reseller in agency.search(limit=200)) == sorted(told)
    changes = [change.sequence for change in agency.changes(limit=1_000)]
    assert changes == list(range(1, len(told) + 2))
    return told


@pytest.mark.parametrize("way", ["leave_at_once", "leave_as_usual"])
def test_a_child_opens_a_platform_of_its_own_and_the_parent_goes_on(url: str, way: str) -> None:
    assert stored(url, way) == ["parent", "child", "afterwards"]


def test_s50_nothing_hangs_at_the_end_of_a_multiprocessing_child(url: str) -> None:
    told = stored(url, "multiprocess")
    assert sorted(told) == ["afterwards", "child", "meanwhile", "parent"]


def test_nothing_of_a_child_is_lost_when_its_parent_closes_the_store(url: str) -> None:
    told = stored(url, "outlive")
    assert len(told) == 29


def test_a_child_does_not_keep_the_turn_of_a_parent_that_was_killed(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'resellers.db'}"
    script = Path(__file__).with_name("child_forks.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, str(script), url, "write_until_killed"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    told = [parent.stdout.readline().strip() for _ in range(60)]
    # Most of the time it is in its turn.
    parent.kill()
    parent.wait()
    parent.stdout.close()
    child = int(told[1])
    ends = threading.Timer(60, os.kill, (child, signal.SIGKILL))
    ends.start()
    # Waits for the turn, were it not given back, until the child has ended.
    Platform.open(url).agency("northwind").create_reseller(**draft("afterwards"))
    assert ends.is_alive()
    ends.cancel()
    os.kill(child, signal.SIGKILL)
    assert_sound(tmp_path / "resellers.db")


def test_a_child_of_a_busy_parent_opens_the_store_or_says_that_it_cannot(url: str) -> None:
    told = stored(url, "fork_beside_writers")
    assert {"parent", "afterwards"} < set(told)


def test_a_child_can_read_forms_whatever_its_parent_was_reading(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'resellers.db'}"
    assert stored(url, "fork_beside_forms") == ["parent", "afterwards"]
