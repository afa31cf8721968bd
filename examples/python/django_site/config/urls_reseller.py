"""Addresses on a reseller's host."""

from django.urls import path

from portal import reseller

urlpatterns = [
    path("", reseller.own_page, name="own-page"),
    path("sign-in", reseller.sign_in, name="sign-in"),
    path("sign-out", reseller.sign_out, name="sign-out"),
]
