"""The library's own contract for storages, case by case, on each database."""

from __future__ import annotations

import pytest
from django.db import connections

from partnerkit import _native
from partnerkit.django import DjangoStorage

from conftest import empty


class Harness:
    """Gives the suite an empty store."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def storage(self) -> DjangoStorage:
        empty(self.alias)
        return DjangoStorage(using=self.alias)

    def thread_ends(self) -> None:
        connections.close_all()


@pytest.mark.parametrize("case", _native.conformance_cases())
def test_conformance(alias: str, case: str) -> None:
    _native.run_conformance_case(case, Harness(alias))


def test_a_failed_case_is_an_assertion_error(sqlite_alias: str) -> None:
    with pytest.raises(AssertionError, match="name of a conformance case"):
        _native.run_conformance_case("no such case", Harness(sqlite_alias))
