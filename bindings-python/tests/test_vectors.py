"""The vectors, all of them: Python says the same as every other language, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from partnerkit import Platform
from partnerkit.django import DjangoStorage

import vectors

CASES = dict(vectors.cases())


def test_there_are_vectors() -> None:
    assert len(CASES) > 40


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vector(case: dict[str, Any]) -> None:
    vectors.run(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vector_in_a_django_database(case: dict[str, Any], alias: str) -> None:
    def open(**options: Any) -> Platform:
        return Platform.with_storage(DjangoStorage(using=alias), **options)

    vectors.run(case, open)
