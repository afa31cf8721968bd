"""Opens a platform and forks in a given way; names on its output what was stored.

A child uses its parent's platform, and opens one of its own.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from itertools import product
from pathlib import Path
from string import ascii_lowercase

from partnerkit import Agency, Platform, log_calls, national_format, phone_countries

from forms import PASSWORD, draft, draft_with_password

url, way = sys.argv[1:]
platform = Platform.open(url)

# After so long something hangs: a thousand times what it takes on a machine that is busy.
TOO_LONG = 300.0


def store(agency: Agency, label: str) -> None:
    agency.create_reseller(**draft(label))
    # In one piece, whoever else writes there.
    os.write(1, f"{label}\n".encode())


def be_a_child() -> Agency:
    assert agency.overview().active_resellers >= 1
    store(agency, "inherited")
    assert platform.resolve_host("inherited.partner.localhost").agency == "northwind"
    own = Platform.open(url).agency("northwind")
    store(own, "child")
    return own


def fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        faulthandler.register(signal.SIGUSR1)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def finish(child: int) -> None:
    """Waits for a child. One that hangs shows where, and is killed."""
    watchdog = threading.Timer(TOO_LONG, kill_with_a_trace, (child,))
    watchdog.start()
    ended = os.waitpid(child, 0)
    watchdog.cancel()
    assert ended == (child, 0), ended


def kill_with_a_trace(child: int) -> None:
    print("a child hangs", file=sys.stderr)
    os.kill(child, signal.SIGUSR1)
    time.sleep(1)
    os.kill(child, signal.SIGKILL)


def leave_at_once() -> None:
    finish(fork(be_a_child))


def leave_as_usual() -> None:
    child = os.fork()
    if not child:
        be_a_child()
        sys.exit(0)
    finish(child)


def multiprocess() -> None:
    child = multiprocessing.get_context("fork").Process(target=be_a_child)
    child.start()
    store(agency, "meanwhile")
    child.join()
    assert child.exitcode == 0


def outlive() -> None:
    """The parent closes its platform while the child goes on."""
    global agency, platform
    (told, tell), (asked, ask) = os.pipe(), os.pipe()

    def go_on() -> None:
        own = be_a_child()
        os.write(tell, b".")
        os.read(asked, 1)
        for letter in ascii_lowercase:
            store(own, f"later{letter}")

    child = fork(go_on)
    assert os.read(told, 1)
    del agency, platform
    gc.collect()
    os.write(ask, b".")
    finish(child)
    platform = Platform.open(url)
    agency = platform.agency("northwind")  # noqa: F841 - the module's


def grandchild() -> None:
    def fork_again() -> None:
        be_a_child()
        finish(fork(lambda: store(agency, "grandchild")))
        finish(fork(lambda: store(Platform.open(url).agency("northwind"), "another")))
        store(agency, "childs")

    finish(fork(fork_again))


class Beside:
    """Threads that do something again and again, and are seen to go on."""

    def __init__(self, work: Callable[[str], object], threads: str = "ab") -> None:
        self._done = threading.Event()
        self._progress = threading.Condition()
        self._times = 0
        self._failed: list[BaseException] = []
        self._work = work
        self._threads = [threading.Thread(target=self._run, args=(one,)) for one in threads]

    def _run(self, thread: str) -> None:
        labels = (thread + "".join(letters) for letters in product(ascii_lowercase, repeat=3))
        try:
            while not self._done.is_set():
                self._work(next(labels) + "x")
                with self._progress:
                    self._times += 1
                    self._progress.notify_all()
        except BaseException as error:
            self._failed.append(error)

    def go_on(self, times: int = 1) -> None:
        """Waits until they have done it so many times more."""
        with self._progress:
            goal = self._times + times
            while self._times < goal and not self._failed:
                self._progress.wait()

    def __enter__(self) -> Beside:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
        assert not self._failed, self._failed


def fork_beside_writers() -> None:
    """Each child uses the inherited platform and one of its own."""

    def use(number: int) -> None:
        label = ascii_lowercase[number]
        store(agency, f"inherited{label}")
        store(Platform.open(url).agency("northwind"), f"own{label}")

    with Beside(lambda label: store(agency, label)) as writers:
        for number in range(20):
            writers.go_on()
            finish(fork(lambda number=number: use(number)))


def fork_beside_forms() -> None:
    """Forms with telephone numbers and passwords are judged in threads and in children."""

    def judge(label: str) -> None:
        wrong = draft(label, phone=("DE", "030 901820"), password="password")
        answers = agency.check_resellers([draft(label), wrong])
        assert getattr(answers[0], "login_domain", None) == label, answers

    with Beside(judge, "abcdef") as judges:
        for number in range(40):
            judges.go_on()
            finish(fork(lambda number=number: judge(f"child{ascii_lowercase[number % 26]}")))


def fork_beside_handles() -> None:
    """Numbers are written and stores are closed by threads that have Python's lock at hand."""

    def use(label: str) -> None:
        national_format("+14155552671")
        phone_countries()
        Platform.open(url).agencies()

    with Beside(use, "abc") as users:
        for _ in range(60):
            users.go_on()
            finish(fork(lambda: use("")))


def fork_beside_sign_ins() -> None:
    agency.create_reseller(**draft_with_password("walrus"))
    os.write(1, b"walrus\n")

    def sign_in(_: str = "") -> None:
        platform.sign_in("walrus", "owner@walrus.example", PASSWORD)

    with Beside(sign_in, "abcdef") as visitors:
        for _ in range(20):
            visitors.go_on()
            finish(fork(sign_in))


def fork_beside_logged_calls() -> None:
    log_calls()
    logging.getLogger("partnerkit").setLevel(logging.DEBUG)
    logging.getLogger("partnerkit").addHandler(logging.NullHandler())
    with Beside(lambda _: agency.settings(), "abcdef") as callers:
        for _ in range(40):
            callers.go_on()
            finish(fork(agency.settings))


def idle_beside_writers() -> None:
    """Children that touch nothing, while this process and another one write."""
    script = Path(__file__).with_name("child_forks.py")
    children: list[int] = []

    def end() -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)

    watchdog = threading.Timer(TOO_LONG, end)
    watchdog.start()
    with Beside(lambda label: store(agency, label)) as writers:
        for _ in range(30):
            writers.go_on()
            children.append(fork(signal.pause))
        writers.go_on(30)
        subprocess.run([sys.executable, str(script), url, "write_elsewhere"], check=True)
        writers.go_on(30)
    assert watchdog.is_alive(), "nothing went on beside the children"
    watchdog.cancel()
    end()
    for child in children:
        os.waitpid(child, 0)


def write_elsewhere() -> None:
    for letter in ascii_lowercase:
        store(agency, f"elsewhere{letter}")


def write_until_killed() -> None:
    """A child that touches nothing goes on when its parent is killed."""
    child = fork(signal.pause)
    os.write(1, f"{child}\n".encode())
    for letters in product(ascii_lowercase, repeat=3):
        store(agency, "".join(letters) + "x")


WAYS = (
    leave_at_once,
    leave_as_usual,
    multiprocess,
    outlive,
    grandchild,
    fork_beside_writers,
    fork_beside_forms,
    fork_beside_handles,
    fork_beside_sign_ins,
    fork_beside_logged_calls,
    idle_beside_writers,
    write_until_killed,
)

if way == "write_elsewhere":
    agency = platform.agency("northwind")
    write_elsewhere()
else:
    agency = platform.create_agency("northwind")
    store(agency, "parent")
    agency.overview()
    {work.__name__: work for work in WAYS}[way]()
    agency.overview()
    store(agency, "afterwards")
