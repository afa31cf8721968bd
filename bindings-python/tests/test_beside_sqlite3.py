"""Python's own `sqlite3` reads the file of a platform in the same process: two copies of SQLite, of
which neither meets the other's locks. Nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import islice, product
from pathlib import Path
from string import ascii_lowercase

from partnerkit import Agency, Platform

from forms import draft

WRITES = """
import sys
from partnerkit import Platform
from forms import draft
from test_beside_sqlite3 import labels
agency = Platform.open(sys.argv[1]).agency("northwind")
for label in labels("another", int(sys.argv[2])):
    agency.create_reseller(**draft(label))
"""
KILLED = f"""{WRITES}
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
LISTS = """
import sys
from partnerkit import Platform
for reseller in Platform.open(sys.argv[1]).agency("northwind").search(limit=200):
    print(reseller.login_domain)
"""
CHECKS = """
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check"):
    print(*row)
"""


def labels(prefix: str, count: int) -> list[str]:
    return [
        prefix + "".join(three) for three in islice(product(ascii_lowercase, repeat=3), count)
    ]


def another_process(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )


def stored(path: Path) -> list[str]:
    """What another process finds in a store that is open here."""
    process = another_process(LISTS, f"sqlite:{path}")
    told, _ = process.communicate()
    assert process.returncode == 0
    return sorted(told.split())


def assert_sound(path: Path) -> None:
    """Looks from another process: what a second copy sees in this one may be out of date."""
    process = another_process(CHECKS, str(path))
    told, _ = process.communicate()
    assert (told, process.returncode) == ("ok\n", 0)


def read_and_close(path: Path) -> None:
    other = sqlite3.connect(path, timeout=60)
    # What it reads may be about to be overwritten: only what was stored is at stake.
    with suppress(sqlite3.DatabaseError):
        other.execute("SELECT count(*) FROM resellers").fetchone()
    other.close()


def test_nothing_is_lost_when_sqlite3_reads_and_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "resellers.db"
    agency = Platform.open(f"sqlite:{path}").create_agency("northwind")
    acknowledged = []
    for label in labels("beside", 40):
        agency.create_reseller(**draft(label))
        acknowledged.append(label)
        other = sqlite3.connect(path)
        assert other.execute("SELECT count(*) FROM resellers").fetchone() == (
            len(acknowledged),
        )
        other.close()
    assert stored(path) == acknowledged
    assert_sound(path)


def test_nothing_is_lost_when_sqlite3_does_so_while_others_write(tmp_path: Path) -> None:
    """Writers and readers in this process, writers in another one."""
    path = tmp_path / "resellers.db"
    agency = Platform.open(f"sqlite:{path}").create_agency("northwind")
    done = threading.Event()
    failures: list[Exception] = []

    def write(agency: Agency, prefix: str) -> None:
        try:
            for label in labels(prefix, 60):
                agency.create_reseller(**draft(label))
                assert agency.overview().active_resellers
        except Exception as failure:
            failures.append(failure)

    def read() -> None:
        while not done.is_set():
            read_and_close(path)

    reader = threading.Thread(target=read)
    reader.start()
    process = another_process(WRITES, f"sqlite:{path}", "60")
    prefixes = ["first", "second"]
    writers = [threading.Thread(target=write, args=(agency, prefix)) for prefix in prefixes]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    process.communicate()
    done.set()
    reader.join()
    assert (failures, process.returncode) == ([], 0)
    acknowledged = [label for prefix in ["another", *prefixes] for label in labels(prefix, 60)]
    assert stored(path) == acknowledged
    assert_sound(path)


def test_nothing_is_lost_when_sqlite3_closes_the_file_after_the_platform(
    tmp_path: Path,
) -> None:
    """Closing the platform has lifted the locks of `sqlite3`, too."""
    path = tmp_path / "resellers.db"
    platform = Platform.open(f"sqlite:{path}")
    platform.create_agency("northwind")
    other = sqlite3.connect(path)
    assert other.execute("SELECT count(*) FROM resellers").fetchone() == (0,)
    del platform
    process = another_process(KILLED, f"sqlite:{path}", "20")
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # Nobody but the log has what the other process has written.
    other.close()
    assert stored(path) == labels("another", 20)
    assert_sound(path)


def test_a_platform_opens_while_sqlite3_reads_and_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "resellers.db"
    Platform.open(f"sqlite:{path}").create_agency("northwind")
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            read_and_close(path)

    reader = threading.Thread(target=read)
    reader.start()
    acknowledged = labels("beside", 40)
    try:
        for label in acknowledged:
            Platform.open(f"sqlite:{path}").agency("northwind").create_reseller(**draft(label))
    finally:
        done.set()
        reader.join()
    assert stored(path) == acknowledged
    assert_sound(path)
