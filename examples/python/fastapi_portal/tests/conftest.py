"""A running portal for each test, on a store of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..settings import Settings
from .world import TOKEN, World, running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for a store in the test's own folder."""
    return Settings(
        agency_token=TOKEN,
        store=f"sqlite:{tmp_path / 'portal.db'}",
        login_base="partner.example.com",
    )


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """The portal, over real HTTP."""
    with running(settings) as world:
        yield world
