"""The pages on a reseller's host."""

import math

import partnerkit
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .forms import SignInForm
from .middleware import STAMP, ResellerRequest
from .models import Invoice
from .platform import platform


@require_safe
def own_page(request: ResellerRequest) -> HttpResponse:
    """What a reseller sees of itself."""
    if request.reseller is None:
        return redirect("sign-in")
    invoices = Invoice.objects.filter(reseller=request.reseller.id)
    context = {"title": "Your page", "reseller": request.reseller, "invoices": invoices}
    return render(request, "portal/own_page.html", context)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: ResellerRequest) -> HttpResponse:
    """Signs in at the reseller that the host is for."""
    form = SignInForm(request.POST or None)
    status = 200
    if form.is_valid():
        try:
            access = platform.sign_in(
                request.place.login_domain,
                form.cleaned_data["email"],
                form.cleaned_data["password"],
                request.META["REMOTE_ADDR"],
            )
        except partnerkit.AccessDeniedError as error:
            form.add_error(None, "The email or the password is wrong.")
            status = error.http_status
        except partnerkit.ThrottledError as error:
            seconds = math.ceil(error.retry_after)
            form.add_error(None, f"Too many attempts. Try again in {seconds} seconds.")
            status = error.http_status
        else:
            # A session id that somebody knew before must not be signed in afterwards.
            request.session.cycle_key()
            # The stamp stays here: the cookie holds the session's id only.
            request.session[STAMP] = access.stamp
            return redirect("own-page")
    context = {"title": "Sign in", "form": form}
    return render(request, "portal/form.html", context, status=status)


@require_POST
def sign_out(request: ResellerRequest) -> HttpResponse:
    """Forgets the session, and with it the only copy of its stamp."""
    request.session.flush()
    return redirect("sign-in")
