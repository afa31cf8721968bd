"""Runs the portal: `python -m fastapi_portal`."""

import logging
import os
from pathlib import Path

import partnerkit
import uvicorn

from .app import create_app
from .mail import into_folder
from .settings import Settings


def main() -> None:
    """Serves on a loopback port; port 0 lets the system choose one."""
    logging.basicConfig(level=logging.INFO)
    # Addresses of requests hold search texts and cursors, that is, names and emails. The
    # library's own log of calls holds neither.
    partnerkit.log_calls(logging.INFO)
    settings = Settings.from_environment()
    mail = into_folder(Path(os.environ.get("PORTAL_OUTBOX", "outbox")))
    port = int(os.environ.get("PORTAL_PORT", "8000"))
    uvicorn.run(create_app(settings, mail), host="127.0.0.1", port=port, access_log=False)


if __name__ == "__main__":
    main()
