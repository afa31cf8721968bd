"""A process that is killed while it writes: what it was told is stored is so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from django.db import connections

from partnerkit import Agency, Platform

from conftest import databases

ROUNDS = 4


def killed_writer(alias: str, prefix: str, acknowledged: int) -> list[tuple[UUID, str]]:
    """What a writer was told, until it had been told that often and was killed."""
    settings = {
        name: found for name, found in databases().items() if name in (alias, "default")
    }
    script = Path(__file__).with_name("child_writer.py")
    child = subprocess.Popen(
        [sys.executable, str(script), alias, json.dumps(settings), prefix],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    told = [child.stdout.readline() for _ in range(acknowledged)]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    assert child.wait() == -signal.SIGKILL
    # The last line may have been cut off.
    lines = [line for line in [*told, *rest.splitlines(keepends=True)] if line.endswith("\n")]
    return [(UUID(id), label) for id, label in map(str.split, lines)]


def rows(alias: str, table: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM partnerkit_{table}")
        return cursor.fetchone()[0]


def test_a_killed_writer_leaves_whole_resellers(
    alias: str, platform: Platform, agency: Agency
) -> None:
    told: list[tuple[UUID, str]] = []
    for number in range(ROUNDS):
        connections.close_all()
        told += killed_writer(alias, "kill" + chr(ord("a") + number), 5 + 7 * number)
    for id, label in told:
        reseller = agency.reseller(id)
        assert reseller.login_domain == label
        assert reseller.external_id == f"crm-{label}"
        assert platform.resolve_host(f"{label}.partner.example.com").reseller == id
    # Between COMMIT and its answer at most one more was stored each time.
    stored = agency.overview().active_resellers
    assert len(told) <= stored <= len(told) + ROUNDS
    assert len(list(agency.search(limit=200))) == stored
    changes = agency.changes(limit=1_000)
    assert len(changes) == stored + 1, "one for the agency itself"
    assert {rows(alias, table) for table in ("resellers", "credentials", "labels")} == {stored}
    assert {id for id, _ in told} <= {change.reseller for change in changes}
