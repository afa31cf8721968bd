"""Eight processes maintain, create, rename, delete and sign in through Django at once: in the end
no login domain has two holders or a dead one, and no stop is forgotten."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections

import partnerkit
from partnerkit.django import DjangoStorage

from churn import LABELS, LIMIT, assert_stops_stand, holders, label
from conftest import databases

PROCESSES = 8
# `CHURN_STEPS=2000` takes minutes.
STEPS = os.environ.get("CHURN_STEPS", "60")


def start(alias: str, seed: int) -> subprocess.Popen[str]:
    settings = {
        name: found for name, found in databases().items() if name in (alias, "default")
    }
    script = Path(__file__).with_name("child_churns.py")
    return subprocess.Popen(
        [sys.executable, str(script), alias, json.dumps(settings), str(seed), STEPS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def labels_held(alias: str) -> dict[str, tuple[str, str]]:
    """Who has each label, by the labels' own rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT label, agency, reseller FROM partnerkit_labels WHERE reseller IS NOT NULL"
        )
        return {label: (id, str(UUID(str(reseller)))) for label, id, reseller in cursor}


@pytest.mark.parametrize("alias", ["sqlite", "postgres"], indirect=True)
def test_s3_s7_s19_everything_at_once(alias: str) -> None:
    platform = partnerkit.Platform.with_storage(DjangoStorage(using=alias), sign_in_limit=LIMIT)
    platform.prepare()
    connections.close_all()
    seed = random.randrange(1 << 32)
    children = [start(alias, seed + number) for number in range(PROCESSES)]
    told = [child.communicate()[0] for child in children]
    assert told == ["done\n"] * PROCESSES, f"seed {seed}"
    # What a process was about to erase at its end goes first.
    while not platform.maintain().finished:
        pass
    held = holders(platform)
    assert labels_held(alias) == held
    assert held.keys() <= {label(number) for number in range(LABELS)}
    assert_stops_stand(platform)
