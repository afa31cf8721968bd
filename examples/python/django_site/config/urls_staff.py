"""Addresses on the agency's own host."""

from django.contrib.auth import views as auth
from django.urls import path

from portal import staff

urlpatterns = [
    path("", staff.index, name="resellers"),
    path("new", staff.create, name="new-reseller"),
    path("<uuid:id>/deactivate", staff.deactivate, name="deactivate"),
    path("<uuid:id>/activate", staff.activate, name="activate"),
    path("sign-in", auth.LoginView.as_view(template_name="portal/form.html"), name="sign-in"),
    path("sign-out", auth.LogoutView.as_view(next_page="sign-in"), name="sign-out"),
]
