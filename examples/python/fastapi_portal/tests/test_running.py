"""Starting and stopping: upkeep runs, and data stays."""

import logging
import logging.handlers
import os
import queue
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import partnerkit
import pytest

from ..settings import Settings
from .world import ACME, TOKEN, World, running


def test_upkeep_runs_in_the_background(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logger = logging.getLogger("fastapi_portal.upkeep")
    handler = logging.handlers.QueueHandler(records)
    logger.addHandler(handler)
    try:
        with caplog.at_level(logging.INFO, logger.name), running(settings):
            assert "upkeep removed" in records.get().getMessage()
    finally:
        logger.removeHandler(handler)


def test_a_token_must_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_AGENCY_TOKEN", raising=False)
    with pytest.raises(SystemExit, match="PORTAL_AGENCY_TOKEN"):
        Settings.from_environment()
    assert TOKEN not in repr(Settings(agency_token=TOKEN))


@contextmanager
def program(folder: Path) -> Iterator[World]:
    """The program as a process of its own, as an operator starts and ends it."""
    environment = os.environ | {
        "PORTAL_AGENCY_TOKEN": TOKEN,
        "PORTAL_STORE": f"sqlite:{folder / 'portal.db'}",
        "PORTAL_LOGIN_BASE": "partner.example.com",
        "PORTAL_OUTBOX": str(folder / "outbox"),
        "PORTAL_PORT": "0",
    }
    log = folder / "log"
    with subprocess.Popen(
        [sys.executable, "-m", "fastapi_portal"],
        env=environment,
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        try:
            for line in process.stderr:
                if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                    yield World(found[1])
                    break
            else:
                pytest.fail("the program did not start")
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            log.write_text(rest)


def test_a_restart_keeps_data(tmp_path: Path) -> None:
    with program(tmp_path) as world:
        acme = world.create("acme", invite=True, password="", password_confirmation="")
        globex = world.create("globex")
        stamp = world.sign_in("globex")
    log = (tmp_path / "log").read_text()
    assert "operation=create_reseller" in log
    assert "Application shutdown complete" in log
    assert "globex.example" not in log  # neither an email nor a secret
    assert stamp not in log
    (mail,) = (tmp_path / "outbox").iterdir()
    assert mail.stat().st_mode & 0o077 == 0
    assert "owner@acme.example" in mail.read_text()

    with program(tmp_path) as world:
        assert world.own_page("globex.partner.example.com", stamp).status_code == 200
        assert world.own_page(ACME, stamp).status_code == 401
        with world.agency() as agency:
            found = agency.get("/agency/resellers", params={"sort": "name"}).json()
        assert [r["id"] for r in found["resellers"]] == [acme, globex]

    # The file is closed, so another program may open it.
    with partnerkit.Platform.open(f"sqlite:{tmp_path / 'portal.db'}") as platform:
        assert platform.agencies() == ["northwind"]
