"""`Platform.backup`: a copy of a SQLite store, while others write (S54)."""

from __future__ import annotations

import threading
from itertools import product
from pathlib import Path
from string import ascii_lowercase

import pytest

from partnerkit import ConfigurationError, FileError, Platform

from forms import draft


def test_s54_a_backup_opens_with_everything_that_was_acknowledged(tmp_path: Path) -> None:
    platform = Platform.open(f"sqlite:{tmp_path / 'resellers.db'}")
    agency = platform.create_agency("northwind")
    acknowledged: list[str] = []
    enough, done = threading.Event(), threading.Event()

    def write() -> None:
        for letters in product(ascii_lowercase, repeat=2):
            if done.is_set():
                return
            label = "a" + "".join(letters) + "x"
            agency.create_reseller(**draft(label))
            acknowledged.append(label)
            if len(acknowledged) == 20:
                enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(600)
    before = set(acknowledged)
    copies: list[str | Path] = [str(tmp_path / "text.db"), tmp_path / "path.db"]
    for copy in copies:
        platform.backup(copy)
    done.set()
    writer.join()
    for copy in copies:
        copied = Platform.open(f"sqlite:{copy}").agency("northwind")
        searches = [f"owner@a{letter}" for letter in ascii_lowercase]
        found = {
            row.login_domain for text in searches for row in copied.search(text, limit=200)
        }
        assert before <= found
        copied.create_reseller(**draft("afterwards"))


def test_a_backup_replaces_nothing(tmp_path: Path) -> None:
    platform = Platform.open(f"sqlite:{tmp_path / 'resellers.db'}")
    (tmp_path / "other").write_text("another file")
    for taken in [tmp_path / "other", tmp_path, tmp_path / "nowhere" / "backup.db"]:
        with pytest.raises(FileError):
            platform.backup(taken)
    assert (tmp_path / "other").read_text() == "another file"
    with pytest.raises(TypeError):
        platform.backup(17)  # type: ignore[arg-type]


def test_a_store_in_memory_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Platform.open("memory:").backup(tmp_path / "backup.db")
    assert list(tmp_path.iterdir()) == []
