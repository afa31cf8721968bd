"""The vectors, all of them: Python says the same as every other language, on every store."""

from __future__ import annotations

from typing import Any

import pytest

import partnerkit
from partnerkit import Platform
from partnerkit.django import DjangoStorage

import vectors

CASES = dict(vectors.cases())


def test_there_are_vectors() -> None:
    assert len(CASES) > 40


def codes(value: Any) -> set[str]:
    """The field codes in what a step must give; a country's code is another kind."""
    if isinstance(value, list):
        return {code for item in value for code in codes(item)}
    if not isinstance(value, dict) or "calling_code" in value:
        return set()
    here = {value[name] for name in ("code", "refused") if isinstance(value.get(name), str)}
    return here.union(*map(codes, value.values()))


def test_every_field_code_is_expected() -> None:
    steps = [step for case in CASES.values() for step in case["steps"]]
    answers = [step.get(name) for step in steps for name in ("gives", "fails")]
    assert codes(answers) == {code.slug for code in partnerkit.field_codes()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vector(case: dict[str, Any]) -> None:
    vectors.run(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vector_in_a_django_database(case: dict[str, Any], alias: str) -> None:
    def open(**options: Any) -> Platform:
        return Platform.with_storage(DjangoStorage(using=alias), **options)

    vectors.run(case, open)
