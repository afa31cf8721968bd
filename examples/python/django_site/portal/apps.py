"""The installable app."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The site's own app."""

    name = "portal"
