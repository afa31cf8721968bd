"""Python programs that have a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def ran(
    program: str, *arguments: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A program that has run to its end, with the modules that this process has."""
    paths = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
    )
