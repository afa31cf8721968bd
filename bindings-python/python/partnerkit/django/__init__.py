"""PartnerKit's rows in a Django project's own database.

Add `"partnerkit.django"` to INSTALLED_APPS, run `migrate`, and

    platform = partnerkit.Platform.with_storage(DjangoStorage(), login_base="partner.example.com")

What is done inside `transaction.atomic()` commits or vanishes with it. PostgreSQL 15 and SQLite
3.35 or newer; on SQLite, choose the write-ahead log and a lock from the start:

    "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL", "transaction_mode": "IMMEDIATE"}
"""

from .storage import DjangoStorage

__all__ = ["DjangoStorage"]
