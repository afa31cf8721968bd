"""Runs the portal's server for a test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serves on a port that the system chooses, and gives the address.

    The socket listens before the server starts, so that a client just waits for it and nobody
    has to try again. At the end the server finishes its background tasks, too.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))

        def run() -> None:
            try:
                server.run(sockets=[listening])
            finally:
                # A client must not wait for a server that could not start.
                listening.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
