"""The Python of the guides runs as it stands there: each guide's blocks in order, in one namespace.

Each guide has a process of its own: what one says once, such as `log_calls`, is said for good.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import partnerkit
import partnerkit.guides

from processes import ran
from test_examples import BLOCK, compiled, names

FOLDER = Path(__file__).parents[2] / "core/docs/guides"
GUIDES = sorted(path.stem for path in FOLDER.glob("*.md"))

PROGRAM = """
import conftest, test_guides
conftest.pytest_configure()
conftest.migrate("default", set())
test_guides.run({name!r})
"""


def blocks(name: str) -> list[str]:
    return BLOCK.findall((FOLDER / f"{name}.md").read_text(encoding="utf-8"))


def run(name: str) -> None:
    """A guide goes on where examples begin."""
    namespace = names(awaited=False)
    for block in blocks(name):
        exec(compiled(name, block), namespace)


@pytest.mark.parametrize("name", GUIDES)
def test_guide(name: str, tmp_path: Path) -> None:
    done = ran(PROGRAM.format(name=name), folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_package_has_every_guide() -> None:
    listed = re.findall(r'help\("partnerkit\.guides\.(\w+)"\)', partnerkit.guides.__doc__ or "")
    assert sorted(listed) == GUIDES
    assert len(GUIDES) > 5
    for name in GUIDES:
        guide = importlib.import_module(f"partnerkit.guides.{name}")
        assert BLOCK.findall(guide.__doc__ or "") == blocks(name)
