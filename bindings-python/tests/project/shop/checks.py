"""Tests as a host writes them, for pytest with its plugin for Django."""

import pytest
from django.conf import settings

from partnerkit import AccessDeniedError

from .attack import failures
from .forms import PASSWORD, draft_with_password
from .partners import LIMIT, platform

PLACES = ["default", settings.PARTNERKIT_USING]


def guess_until_the_limit(agency, acme):
    for n in range(1, LIMIT + 1):
        with pytest.raises(AccessDeniedError):
            platform.sign_in("acme", "owner@acme.example", "wrong")
        assert failures() == n
    with pytest.raises(AccessDeniedError):
        platform.sign_in("acme", "owner@acme.example", PASSWORD)
    agency.unlock(acme.id)
    assert platform.sign_in("acme", "owner@acme.example", PASSWORD).stamp


@pytest.fixture
def agency():
    assert platform.agencies() == [], "nothing is left of another test"
    return platform.create_agency("northwind")


@pytest.mark.parametrize("again", range(3))
@pytest.mark.django_db(databases=PLACES)
def test_in_a_transaction(again, agency):
    guess_until_the_limit(agency, agency.create_reseller(**draft_with_password("acme")))


@pytest.mark.parametrize("again", range(2))
@pytest.mark.django_db(databases=PLACES, transaction=True)
def test_in_none(again, agency):
    guess_until_the_limit(agency, agency.create_reseller(**draft_with_password("acme")))


@pytest.mark.django_db(databases=PLACES)
def test_requests(client):
    assert client.get("/create", {"label": "acme"}).status_code == 200
    query = {"label": "acme", "password": PASSWORD}
    assert client.get("/sign-in", query).status_code == 200
    assert client.get("/sign-in", query | {"password": "wrong"}).status_code == 403
