"""The installable app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from .names import LABEL


class PartnerKitConfig(AppConfig):
    """Models and migrations of PartnerKit's tables."""

    name = "partnerkit.django"
    label = LABEL
    verbose_name = "PartnerKit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here because it needs the models, which are loaded now.
        from .secret import keep_secret

        post_migrate.connect(keep_secret, sender=self, dispatch_uid="partnerkit.secret")
