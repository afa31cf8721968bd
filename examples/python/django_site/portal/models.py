"""The site's own data."""

from django.db import models


class Invoice(models.Model):
    """What a reseller has to pay."""

    # PartnerKit's own tables are its business, so this is an id and no foreign key.
    reseller = models.UUIDField(db_index=True)
    purpose = models.CharField(max_length=100)
    cents = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.purpose}: {self.cents / 100:.2f}"
