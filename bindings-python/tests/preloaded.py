"""A WSGI application whose platform is opened when its server loads it, before it forks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from partnerkit import Platform

from forms import PASSWORD, draft_with_password

WORKERS = int(os.environ["WEB_CONCURRENCY"])
MET = Path(os.environ["MET"])

platform = Platform.open(os.environ["STORE"])
agency = platform.create_agency("northwind")
agency.create_reseller(**draft_with_password("walrus"))


def meet() -> None:
    """Waits until each worker has a request, so that none answers two of them."""
    (MET / str(os.getpid())).touch()
    while len(list(MET.iterdir())) < WORKERS:
        time.sleep(0.01)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    label = environ["PATH_INFO"].strip("/")
    meet()
    platform.sign_in("walrus", "owner@walrus.example", PASSWORD)
    agency.create_reseller(**draft_with_password(label))
    access = platform.sign_in(label, f"owner@{label}.example", PASSWORD)
    platform.check_access(access.stamp, None)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
