"""PartnerKit's tables are in one database, the host's in another."""

from django.conf import settings


class PartnerKitElsewhere:
    def db_for_read(self, model, **hints):
        return settings.PARTNERKIT_USING if model._meta.app_label == "partnerkit" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return db == (settings.PARTNERKIT_USING if app_label == "partnerkit" else "default")
