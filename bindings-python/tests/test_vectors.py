"""The vectors, all of them: Python says the same as every other language."""

from __future__ import annotations

from typing import Any

import pytest

import vectors

CASES = dict(vectors.cases())


def test_there_are_vectors() -> None:
    assert len(CASES) > 40


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vector(case: dict[str, Any]) -> None:
    vectors.run(case)
