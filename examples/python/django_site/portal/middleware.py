"""What is done at every request: the host's reseller, and the library's errors."""

from collections.abc import Callable
from typing import cast

import partnerkit
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render

from .platform import agency, platform

STAMP = "stamp"

Answer = Callable[[HttpRequest], HttpResponse]


class ResellerRequest(HttpRequest):
    """A request on a reseller's host."""

    place: partnerkit.ResolvedHost
    """Which reseller the host is for."""
    reseller: partnerkit.Reseller | None
    """That reseller, if it is signed in."""


class ResellerMiddleware:
    """Gives each host its addresses, and a reseller's host its reseller.

    The stamp is checked at every request and for this host: "switched off" means now, and the
    session of one reseller does not open the pages of another.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = request.get_host()
        if split_domain_port(host)[0] not in settings.STAFF_HOSTS:
            self.enter(cast(ResellerRequest, request), host)
        return self.get_response(request)

    def enter(self, request: ResellerRequest, host: str) -> None:
        """Finds out whose host it is, and whether that reseller is signed in."""
        request.urlconf = settings.RESELLER_URLCONF
        try:
            request.place = platform.resolve_host(host)
        except partnerkit.NotFoundError:
            raise Http404 from None
        request.reseller = None
        stamp = request.session.get(STAMP)
        if stamp is None:
            return
        try:
            identity = platform.check_access(stamp, host)
        except partnerkit.AccessDeniedError:
            request.session.flush()
        else:
            request.reseller = agency().reseller(identity.reseller)


class LibraryErrorMiddleware:
    """Answers what no view has handled: the library knows the status."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Defects stay Django's business, which logs them."""
        if not isinstance(error, partnerkit.PartnerKitError) or error.http_status == 500:
            return None
        context = {"title": "This did not work", "text": str(error)}
        return render(request, "portal/page.html", context, status=error.http_status)
