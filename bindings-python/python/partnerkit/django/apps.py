"""The installable app."""

from django.apps import AppConfig


class PartnerKitConfig(AppConfig):
    """Models and migrations of PartnerKit's tables."""

    name = "partnerkit.django"
    label = "partnerkit"
    verbose_name = "PartnerKit"
    default_auto_field = "django.db.models.BigAutoField"
