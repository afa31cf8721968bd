"""Calls as log records, and that neither they nor reprs tell secrets."""

from __future__ import annotations

import logging
import re

import pytest

import partnerkit

from forms import PASSWORD, draft_with_password
from processes import ran

# In a process of its own: what is logged once is logged for good.
PROGRAM = """
import logging, partnerkit
from forms import PASSWORD, draft_with_password
logging.basicConfig(level=logging.DEBUG, format="%(name)s %(levelname)s %(message)s")
partnerkit.log_calls()
platform = partnerkit.Platform.open("memory:")
agency = platform.create_agency("northwind")
acme = agency.create_reseller(**draft_with_password("canary", name="Canary"))
platform.sign_in("canary", "owner@canary.example", PASSWORD)
try:
    platform.sign_in("canary", "owner@canary.example", "wrong canary")
except partnerkit.AccessDeniedError:
    pass
try:
    partnerkit.log_calls()
except RuntimeError as error:
    print(error)
"""


def test_s53_each_call_is_a_log_record_without_names_or_secrets() -> None:
    done = ran(PROGRAM)
    done.check_returncode()
    lines = done.stderr.splitlines()
    assert all(line.startswith("partnerkit DEBUG operation=") for line in lines)
    said = done.stderr
    created = (
        r"operation=create_reseller agency=northwind reseller=\S{36} outcome=ok microseconds="
    )
    assert re.search(created, said)
    assert "operation=sign_in outcome=access_denied" in said
    assert "canary" not in said.lower()
    assert "calls are logged already" in done.stdout


def test_no_repr_tells_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    platform = partnerkit.Platform.open("memory:", peppers={1: b"canary" * 5})
    agency = platform.create_agency("northwind")
    reseller = agency.create_reseller(**draft_with_password("acme"))
    access = platform.sign_in("acme", "owner@acme.example", PASSWORD)
    shown = f"{platform!r} {agency!r} {reseller!r} {access!r} {access}"
    for secret in (PASSWORD, access.stamp.rsplit(".", 1)[1], "$argon2", "canary"):
        assert secret not in shown
    with pytest.raises(partnerkit.AccessDeniedError) as denied:
        platform.sign_in("acme", "owner@acme.example", "canary password")
    assert "canary" not in repr(denied.value) + str(denied.value)
    assert caplog.text == ""
