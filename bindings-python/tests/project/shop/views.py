"""Requests of a host: what a view does in whatever transaction the settings give it."""

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction
from django.http import JsonResponse
from django.urls import path

from partnerkit import AccessDeniedError, Metric

from .forms import draft_with_password
from .partners import platform


def ends_the_transaction(get_response):
    """Without autocommit a host ends its transactions itself."""

    def middleware(request):
        response = get_response(request)
        for connection in connections.all():
            if not connection.settings_dict["AUTOCOMMIT"]:
                connection.commit() if response.status_code < 400 else connection.rollback()
        return response

    return middleware


def create(request):
    label = request.GET["label"]
    agency = platform.create_agency(label)
    acme = agency.create_reseller(idempotency_key="once", **draft_with_password(label))
    request.session["seen"] = label  # the host's own, in its own database
    return JsonResponse({"id": str(acme.id), "resellers": agency.overview().active_resellers})


def page(request):
    found = platform.agency(request.GET["label"]).page(limit=1)
    return JsonResponse({"found": [reseller.login_domain for reseller in found.resellers]})


def consume(request):
    agency = platform.agency(request.GET["label"])
    agency.set_allowance(request.GET["id"], Metric.MESSAGES, 3)
    granted = agency.consume(request.GET["id"], Metric.MESSAGES, 1, request.GET["call"])
    return JsonResponse({"granted": bool(granted)})


def signed_in(label, password):
    """A refusal is an exception, so that whatever the request has open is rolled back."""
    try:
        return platform.sign_in(label, f"owner@{label}.example", password)
    except AccessDeniedError as refused:
        raise PermissionDenied from refused


def sign_in(request):
    request.session.get("seen")  # the host has read
    access = signed_in(request.GET["label"], request.GET["password"])
    return JsonResponse({"agency": access.agency})


def change_password(request):
    """A change of the record, then of the password, in one block."""
    agency = platform.agency(request.GET["label"])
    (acme,) = agency.search()
    new = request.GET["new"]
    with transaction.atomic(using=settings.PARTNERKIT_USING):
        agency.update_reseller(acme.id, name="Another")
        try:
            agency.change_password(
                acme.id,
                current=request.GET["password"],
                password=new,
                password_confirmation=new,
            )
        except AccessDeniedError as refused:
            raise PermissionDenied from refused
    return JsonResponse({})


@transaction.non_atomic_requests(using="default")
@transaction.non_atomic_requests(using="other")
async def sign_in_async(request):
    password = request.GET["password"]
    access = await sync_to_async(signed_in)(request.GET["label"], password)
    return JsonResponse({"agency": access.agency})


urlpatterns = [
    path("create", create),
    path("page", page),
    path("consume", consume),
    path("sign-in", sign_in),
    path("sign-in-async", sign_in_async),
    path("change-password", change_password),
]
