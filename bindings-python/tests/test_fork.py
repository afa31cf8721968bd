"""After `os.fork`: the parent's platform works in a child, and so does one of its own (S62)."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_lowercase

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from partnerkit import Platform, StorageError

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
    assert sorted(reseller.login_domain for reseller in agency.search(limit=200)) == sorted(
        told
    )
    changes = [change.sequence for change in agency.changes(limit=1_000)]
    assert changes == list(range(1, min(len(told) + 1, 1_000) + 1))
    return told


@pytest.mark.parametrize("way", ["leave_at_once", "leave_as_usual"])
def test_s62_a_child_uses_its_parents_platform_and_one_of_its_own(url: str, way: str) -> None:
    assert stored(url, way) == ["parent", "inherited", "child", "afterwards"]


def test_s62_a_grandchild_does_so_too(url: str) -> None:
    childs = ["inherited", "child", "grandchild", "another", "childs"]
    assert stored(url, "grandchild") == ["parent", *childs, "afterwards"]


def test_s50_nothing_hangs_at_the_end_of_a_multiprocessing_child(url: str) -> None:
    told = stored(url, "multiprocess")
    assert sorted(told) == ["afterwards", "child", "inherited", "meanwhile", "parent"]


def test_nothing_of_a_child_is_lost_when_its_parent_closes_the_store(url: str) -> None:
    assert len(stored(url, "outlive")) == 30


def test_s62_each_child_of_a_busy_parent_uses_both_platforms(url: str) -> None:
    childs = [label for label in stored(url, "fork_beside_writers") if len(label) != 5]
    assert len([label for label in childs if label.startswith(("inherited", "own"))]) == 40


@pytest.mark.parametrize("what", ["forms", "handles", "sign_ins", "logged_calls"])
def test_s62_what_threads_do_when_the_process_forks_holds_up_no_child(
    url: str, what: str
) -> None:
    assert stored(url, f"fork_beside_{what}")[-1] == "afterwards"


def test_s62_a_child_that_touches_nothing_disturbs_nobody(url: str) -> None:
    told = stored(url, "idle_beside_writers")
    assert len([label for label in told if label.startswith("elsewhere")]) == 26


def test_s62_a_store_in_memory_says_that_it_does_not_cross_fork() -> None:
    agency = Platform.open("memory:").create_agency("northwind")
    child = os.fork()
    if not child:
        try:
            agency.create_reseller(**draft("child"))
        except StorageError as error:
            os._exit(0 if "fork" in str(error) else 2)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0) == (child, 0)
    agency.create_reseller(**draft("parent"))


def test_s62_a_child_makes_no_id_that_its_parent_makes(tmp_path: Path) -> None:
    at = datetime(2026, 3, 15, 12, tzinfo=UTC)
    platform = Platform.open(f"sqlite:{tmp_path / 'resellers.db'}", clock=lambda: at)
    agency = platform.create_agency("northwind")

    def create(whose: str) -> None:
        for letter in ascii_lowercase:
            agency.create_reseller(**draft(whose + letter))

    child = os.fork()
    if not child:
        try:
            create("child")
            os._exit(0)
        finally:
            os._exit(1)
    create("parent")
    assert os.waitpid(child, 0) == (child, 0)
    assert len({reseller.id for reseller in agency.search(limit=200)}) == 52


def test_s62_a_preloaded_server_signs_in_and_creates_in_each_worker(
    url: str, tmp_path: Path
) -> None:
    labels = ["firstx", "secondx", "thirdx"]
    met = tmp_path / "met"
    met.mkdir()
    # Listening before the server does, so that nobody has to ask whether it does yet. The server
    # alone keeps it open: if it ends, so does every request.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--preload", "--timeout", "0"),
                *("--bind", f"fd://{listening.fileno()}", "preloaded:application"),
            ],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "STORE": url,
                "MET": str(met),
                "WEB_CONCURRENCY": str(len(labels)),
            },
            pass_fds=[listening.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        port = listening.getsockname()[1]
    # Lets a server that does not answer be seen.
    watchdog = threading.Timer(300, server.kill)
    watchdog.start()
    address = f"http://127.0.0.1:{port}"

    def ask(label: str) -> str:
        with urllib.request.urlopen(f"{address}/{label}", timeout=300) as answer:
            return answer.read().decode()

    try:
        with ThreadPoolExecutor(len(labels)) as clients:
            workers = set(clients.map(ask, labels))
    finally:
        server.terminate()
        _, logged = server.communicate()
        watchdog.cancel()
    assert len(workers) == len(labels), logged
    agency = Platform.open(url).agency("northwind")
    stored = {reseller.login_domain for reseller in agency.search()}
    assert stored == {"walrus", *labels}


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
