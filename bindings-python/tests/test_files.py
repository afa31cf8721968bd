"""Every kind of file that Python has, read from and written to: what it takes is what counts."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import partnerkit
from partnerkit import Agency, Platform

from forms import draft

ROWS = 600


def label(n: int) -> str:
    return "r" + "".join(chr(97 + n // 26**i % 26) for i in range(3))


@pytest.fixture(scope="module")
def agency() -> Agency:
    agency = Platform.open("memory:").create_agency("northwind")
    agency.create_resellers([draft(label(n)) for n in range(ROWS)])
    return agency


@pytest.fixture(scope="module")
def whole(agency: Agency) -> bytes:
    out = io.BytesIO()
    assert agency.export_csv(out) == ROWS
    assert out.getvalue().count(b"\n") == ROWS + 1
    return out.getvalue()


def elsewhere() -> Agency:
    return Platform.open("memory:").create_agency("northwind")


class Answers:
    """A file whose write() answers whatever a function says."""

    def __init__(self, answer: Callable[[bytes], object]) -> None:
        self.answer = answer
        self.taken = b""

    def write(self, data: bytes) -> object:
        answer = self.answer(data)
        self.taken += data[:answer] if isinstance(answer, int) else data
        return answer

    def flush(self) -> None: ...


class Raw(io.RawIOBase):
    """A raw file of Python's own kind, which takes and gives little at once."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data[:1_000]
        return len(data[:1_000])

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        part, self.data = self.data[:1_000], self.data[1_000:]
        buffer[: len(part)] = part
        return len(part)


def test_s48_a_file_that_takes_little_at_once_gets_everything(
    agency: Agency, whole: bytes
) -> None:
    raw = Raw()
    assert agency.export_csv(raw) == ROWS
    assert raw.data == whole
    one = Answers(lambda data: 1)
    assert agency.export_csv(one, label(1)) == 1
    assert one.taken.count(b"\n") == 2


def test_s48_a_socket_that_sends_in_pieces_gets_everything(
    agency: Agency, whole: bytes
) -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    # With a time limit send() takes what there is room for; this one never passes.
    ours.settimeout(3_600)
    got: list[bytes] = []

    def receive() -> None:
        while part := theirs.recv(700):
            got.append(part)

    other = threading.Thread(target=receive)
    other.start()
    try:
        with ours, ours.makefile("wb", buffering=0) as file:
            assert agency.export_csv(file) == ROWS
    finally:
        other.join()
        theirs.close()
    assert b"".join(got) == whole


def test_s48_an_object_that_tells_no_count_has_taken_everything(
    agency: Agency, whole: bytes
) -> None:
    """As Django's HttpResponse: no file of Python's own, whose None means that it would block."""
    silent = Answers(lambda data: None)
    assert agency.export_csv(silent) == ROWS
    assert silent.taken == whole


def test_s48_a_file_that_would_block_is_an_error(agency: Agency) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with open(write, "wb", buffering=0) as pipe, pytest.raises(BlockingIOError, match="file: "):
        agency.export_csv(pipe)
    os.close(read)
    read, write = os.pipe()
    os.set_blocking(read, False)
    with open(read, "rb", buffering=0) as pipe, pytest.raises(BlockingIOError, match="file: "):
        elsewhere().import_csv(pipe)
    os.close(write)


@pytest.mark.parametrize(
    ("answer", "raises"),
    [
        (lambda data: 0, partnerkit.FileError),
        (lambda data: len(data) + 1, partnerkit.FileError),
        (lambda data: -1, partnerkit.FileError),
        (lambda data: 1 << 80, partnerkit.FileError),
        (lambda data: "all", TypeError),
    ],
)
def test_s48_a_count_that_cannot_be_is_an_error(
    agency: Agency, answer: Callable[[bytes], object], raises: type[Exception]
) -> None:
    with pytest.raises(raises, match=r"^file: write\(\)"):
        agency.export_csv(Answers(answer))


class Gives:
    """A file whose read() gives the same answers, one after the other."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def read(self, _size: int) -> object:
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("answer", "raises"),
    [
        ("name\n", TypeError),
        ([110, 97, 109, 101], TypeError),
        (7, TypeError),
        (None, BlockingIOError),
        (b"x" * (1 << 20), partnerkit.FileError),
    ],
)
def test_s48_a_read_that_cannot_be_is_an_error(answer: object, raises: type[Exception]) -> None:
    with pytest.raises(raises, match=r"^(\[Errno \d+\] )?file: read\(\)"):
        elsewhere().import_csv(Gives(answer))  # type: ignore[arg-type]


def test_s48_a_text_file_is_refused_before_anything_is_done(
    agency: Agency, tmp_path: Path
) -> None:
    path = tmp_path / "resellers.csv"
    with open(path, "w") as file, pytest.raises(TypeError, match=r"^file: .* in mode 'wb'"):
        agency.export_csv(file)  # type: ignore[arg-type]
    with open(path) as file, pytest.raises(TypeError, match=r"^file: .* in mode 'rb'"):
        agency.import_csv(file)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^file: "):
        agency.export_csv(io.StringIO())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_s48_a_file_may_give_bytes_of_any_kind_and_few_at_once(
    whole: bytes, kind: Callable[[bytes], object]
) -> None:
    parts = [whole[i : i + 777] for i in range(0, len(whole), 777)]
    report = elsewhere().import_csv(Gives(*map(kind, parts), kind(b"")))  # type: ignore[arg-type]
    assert (report.created, report.rejected) == (ROWS, 0)
    if kind is bytes:
        assert elsewhere().import_csv(Raw(whole)).created == ROWS


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_s48_a_full_disk_is_told(agency: Agency) -> None:
    with pytest.raises(OSError, match="No space left"):
        agency.export_csv("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        agency.export_csv("/dev/full", label(1))


class Opened(io.FileIO):
    """A file that a path was opened as; some fail when they are closed."""

    fails = False

    def close(self) -> None:
        was_open = not self.closed
        super().close()
        if was_open and self.fails:
            raise OSError("the server is gone")


@pytest.mark.parametrize("fails", [False, True])
def test_s48_a_file_opened_from_a_path_is_closed(
    agency: Agency, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    opened: list[Opened] = []

    def opens(path: Path, mode: str) -> Opened:
        opened.append(Opened(path, mode))
        opened[-1].fails = fails
        return opened[-1]

    monkeypatch.setattr("builtins.open", opens)
    path = tmp_path / "resellers.csv"
    if fails:
        with pytest.raises(OSError, match="the server is gone"):
            agency.export_csv(path)
    else:
        assert agency.export_csv(path) == ROWS
        assert elsewhere().import_csv(path).created == ROWS
    assert opened and all(file.closed for file in opened)
    assert path.read_bytes() == whole
    # What the caller has opened the caller closes.
    out = io.BytesIO()
    agency.export_csv(out, label(1))
    assert not out.closed


def test_s48_what_went_wrong_first_is_told(agency: Agency, tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, _data: bytes) -> int:  # type: ignore[override]
            raise OSError("unplugged")

        def flush(self) -> None:
            raise OSError("still unplugged")

    with pytest.raises(OSError, match=r"^unplugged"):
        agency.export_csv(Broken())
