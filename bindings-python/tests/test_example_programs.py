"""The programs in `examples/python` do for real what they show: their own tests start servers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import partnerkit

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"

# Each program's folder, what runs its tests there, and what the run says at its end.
PROGRAMS = {
    "fastapi_portal": (
        ".",
        ["-m", "pytest", "-q", "-p", "no:django", "-p", "no:xdist"],
        "passed",
    ),
    "django_site": ("django_site", ["manage.py", "test"], "OK"),
}


def test_every_program_is_run() -> None:
    folders = {file.parent.name for file in EXAMPLES.glob("[!.]*/README.md")}
    assert folders == set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str) -> None:
    folder, run, end = PROGRAMS[program]
    package = str(Path(partnerkit.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, *run],
        check=False,
        capture_output=True,
        text=True,
        cwd=EXAMPLES / folder,
        env=environment,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert end in ran.stdout + ran.stderr
