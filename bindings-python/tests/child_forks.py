"""Opens a platform and forks in a given way; names on its output what was stored.

A child first finds that its parent's platform is none of its own, in reads and writes, and then
opens one of its own.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from itertools import product
from string import ascii_lowercase

from partnerkit import Agency, Platform, StorageError, phone_countries

from forms import draft

url, way = sys.argv[1:]
platform = Platform.open(url)
agency = platform.create_agency("northwind")


def store(agency: Agency, label: str) -> None:
    agency.create_reseller(**draft(label))
    # In one piece, whoever else writes there.
    os.write(1, f"{label}\n".encode())


def refuse(call: Callable[[], object]) -> None:
    try:
        call()
    except StorageError as error:
        assert "fork" in str(error), error
    else:
        raise AssertionError("a child used its parent's platform")


def be_a_child() -> Agency:
    refuse(agency.overview)
    refuse(lambda: agency.create_reseller(**draft("parents")))
    refuse(lambda: platform.resolve_host("parent.partner.localhost"))
    own = Platform.open(url).agency("northwind")
    assert own.overview().active_resellers >= 1
    store(own, "child")
    return own


def fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def finish(child: int) -> None:
    assert os.waitpid(child, 0) == (child, 0)


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
    agency = platform.agency("northwind")


def fork_beside_writers() -> None:
    """A child may find that a connection was in use; then it has none, and says so."""
    done = threading.Event()

    def write(thread: str) -> None:
        for first in ascii_lowercase[:18]:
            for second in ascii_lowercase:
                if done.is_set():
                    return
                store(agency, f"thread{thread}{first}{second}")

    def try_to_open() -> None:
        refuse(agency.overview)
        try:
            own = Platform.open(url)
        except StorageError as error:
            assert "fork" in str(error), error
        else:
            assert own.agencies() == ["northwind"]

    threads = [threading.Thread(target=write, args=(thread,)) for thread in "ab"]
    for thread in threads:
        thread.start()
    for _ in range(20):
        finish(fork(try_to_open))
    done.set()
    for thread in threads:
        thread.join()


def fork_beside_forms() -> None:
    """Numbers of every country are read for the first time while the process forks.

    A child reads what its parent was reading just then, in a store that nobody else has.
    """
    countries = [country for country in phone_countries() if country.example]
    reading = 0

    def form(label: str, number: int) -> dict[str, object]:
        country = countries[number % len(countries)]
        return draft(label, phone=(country.code, country.example))

    def read_all() -> None:
        nonlocal reading
        own = Platform.open("memory:").create_agency("northwind")
        for number, (first, second) in enumerate(product(ascii_lowercase, repeat=2)):
            reading = number
            own.create_reseller(**form(f"x{first}{second}", number))

    def read_a_few() -> None:
        # A child that waits for a thread it does not have would wait for ever.
        signal.alarm(120)
        own = Platform.open("memory:").create_agency("northwind")
        for number in range(3):
            own.create_reseller(**form(f"x{ascii_lowercase[number]}", reading + number))

    threads = [threading.Thread(target=read_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        finish(fork(read_a_few))
    for thread in threads:
        thread.join()


def write_until_killed() -> None:
    """A child that touches nothing goes on when its parent is killed."""
    child = fork(signal.pause)
    os.write(1, f"{child}\n".encode())
    for letters in product(ascii_lowercase, repeat=3):
        store(agency, "".join(letters) + "x")


store(agency, "parent")
agency.overview()
{
    "leave_at_once": leave_at_once,
    "leave_as_usual": leave_as_usual,
    "multiprocess": multiprocess,
    "outlive": outlive,
    "fork_beside_writers": fork_beside_writers,
    "fork_beside_forms": fork_beside_forms,
    "write_until_killed": write_until_killed,
}[way]()
agency.overview()
store(agency, "afterwards")
