"""How the portal sends mail: a function that whoever runs it gives."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4


@dataclass(frozen=True)
class Message:
    """A mail to one person. Its text holds a token, so the debugging text leaves it out."""

    to: str
    subject: str
    text: str = field(repr=False)


Mail = Callable[[Message], None]


def into_folder(folder: Path) -> Mail:
    """Writes each mail into a file that only the owner reads: enough to try the program."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(message: Message) -> None:
        path = folder / f"{uuid4()}.txt"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"To: {message.to}\nSubject: {message.subject}\n\n{message.text}\n")

    return write
