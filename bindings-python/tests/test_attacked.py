"""What an attack on the Python package found."""

from __future__ import annotations

import inspect
import subprocess
import types
from pathlib import Path
from typing import Any

import pytest

import partnerkit
from partnerkit import Agency, AsyncAgency, AsyncPlatform, Platform

from forms import PASSWORD, draft
from processes import ran

HEAD = """
import asyncio, gc, io, os, sys, threading, time, datetime
import partnerkit
from forms import draft, draft_with_password, PASSWORD
platform = partnerkit.Platform.open("sqlite:" + sys.argv[1] + "/x.db")
agency = platform.ensure_agency("northwind")
"""


def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return ran(HEAD + program, str(folder))


PROGRAMS = {
    "a StopIteration of the host's ends an awaited call": """
async def go():
    class File:
        def read(self, size): raise StopIteration
    await partnerkit.AsyncAgency(agency).import_csv(File())
try: asyncio.run(go())
except Exception: print("ok")
""",
    "a finalizer may use the library while the first answer is made": """
class Cleanup:
    def __init__(self): self.me = self
    def __del__(self): partnerkit.field_codes()
gc.disable()
for _ in range(50): Cleanup()
gc.enable(); gc.set_threshold(1, 1, 1)
partnerkit.field_codes(); print("ok")
""",
    "a child goes on with a search that another thread was reading": """
agency.create_resellers([draft("acme" + letter) for letter in "abcdefgh"])
slot, stop = [agency.search(limit=1)], threading.Event()
def read():
    while not stop.is_set():
        slot[0] = agency.search(limit=1)
        for _ in slot[0]: pass
thread = threading.Thread(target=read); thread.start()
for _ in range(10):
    pid = os.fork()
    if pid == 0:
        try: next(slot[0], None)
        except partnerkit.StorageError: pass
        os._exit(0)
    for _ in range(500):
        if os.waitpid(pid, os.WNOHANG)[0]: break
        time.sleep(0.01)
    else:
        os.kill(pid, 9); os.waitpid(pid, 0); print("hung"); break
else: print("ok")
stop.set(); thread.join()
""",
    "awaited sign-ins hold up no check of access": """
acme = agency.create_reseller(**draft_with_password("acme"))
access = platform.sign_in("acme", acme.email, PASSWORD)
async def go():
    other = partnerkit.AsyncPlatform(platform)
    async def guess():
        try: await other.sign_in("acmee", "ann@acme.example", "wrong")
        except partnerkit.PartnerKitError: pass
    guesses = [asyncio.ensure_future(guess()) for _ in range(200)]
    await asyncio.sleep(0)
    await other.check_access(access.stamp, None)
    print("ok" if sum(guess.done() for guess in guesses) < 100 else "all of them came first")
    await asyncio.gather(*guesses)
asyncio.run(go())
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_program(program: str, tmp_path: Path) -> None:
    done = run(program, tmp_path)
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr[-500:]


@pytest.mark.parametrize("pair", [(AsyncPlatform, Platform), (AsyncAgency, Agency)])
def test_awaited_operations_take_the_same_names(pair: tuple[type, type]) -> None:
    awaited, blocking = pair

    def names(of: type, name: str) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(of, name)).parameters.values()
        kinds = {parameter.name: parameter.kind for parameter in found}
        return [item for item in kinds.items() if item[0] != "self" and item[1] != 4]

    for name in (name for name in dir(awaited) if not name.startswith("_")):
        if callable(getattr(awaited, name)) and name not in ("open", "configure"):
            assert names(awaited, name) == names(blocking, name), name


def test_a_mapping_is_taken_where_the_stubs_say_so() -> None:
    agency = Platform.open("memory:").create_agency("northwind")
    agency.create_reseller(**draft("acme", metadata=types.MappingProxyType({"a": "b"})))


def test_a_refused_export_leaves_the_file_alone(tmp_path: Path) -> None:
    agency = Platform.open("memory:").create_agency("northwind")
    file = tmp_path / "resellers.csv"
    file.write_text("last month's")
    with pytest.raises(partnerkit.ValidationError):
        agency.export_csv(file, "x" * 2000)
    assert file.read_text() == "last month's"


def test_half_a_character_is_no_character() -> None:
    platform = Platform.open("memory:")
    password = "\ufffd\ufffd\ufffd" + PASSWORD
    agency = platform.create_agency("northwind")
    form = draft("acme", invite=False, password=password, password_confirmation=password)
    acme = agency.create_reseller(**form)
    with pytest.raises(partnerkit.AccessDeniedError):
        platform.sign_in("acme", acme.email, "\ud800" + PASSWORD)


def test_a_second_interpreter_is_refused() -> None:
    program = """
import partnerkit
import _xxsubinterpreters as interpreters
second = interpreters.create()
try:
    interpreters.run_string(second, "import partnerkit")
except interpreters.RunFailedError as refused:
    print(refused)
"""
    done = ran(program)
    done.check_returncode()
    assert "partnerkit works in one interpreter of a process" in done.stdout
