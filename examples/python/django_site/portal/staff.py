"""The pages of the agency's staff."""

from typing import cast
from uuid import UUID

import partnerkit
from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .enrolment import enrol
from .forms import ResellerForm, show_errors
from .platform import agency


def _is_staff(user: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(user, User) and user.is_active and user.is_staff


staff_only = user_passes_test(_is_staff)


def _actor(request: HttpRequest) -> str:
    """Whom the change feed names."""
    return cast(User, request.user).get_username()


@staff_only
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lists or searches resellers, the newest first: in this order a cursor holds no name or
    email, so that it may stand in an address and in a log."""
    text = request.GET.get("text") or None
    after = request.GET.get("after") or None
    page = agency().page(text, after=after, with_total=True)
    return render(
        request,
        "portal/resellers.html",
        {"title": "Resellers", "page": page, "text": text or ""},
    )


@sensitive_post_parameters("password", "password_confirmation")
@staff_only
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Creates a reseller and its first invoice."""
    form = ResellerForm(request.POST or None)
    if form.is_valid():
        try:
            enrol(form.draft(), form.cleaned_data["fee_cents"], _actor(request))
        except partnerkit.ValidationError as refused:
            show_errors(form, refused)
        else:
            return redirect("resellers")
    status = 422 if form.errors else 200
    context = {"title": "New reseller", "form": form}
    return render(request, "portal/form.html", context, status=status)


@staff_only
@require_POST
def deactivate(request: HttpRequest, id: UUID) -> HttpResponse:
    """Switches a reseller off; it is off when this has answered."""
    agency().acting_as(_actor(request)).deactivate(id, request.POST.get("reason") or None)
    return redirect("resellers")


@staff_only
@require_POST
def activate(request: HttpRequest, id: UUID) -> HttpResponse:
    """Switches a reseller on again."""
    agency().acting_as(_actor(request)).activate(id)
    return redirect("resellers")
