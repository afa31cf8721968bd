"""PartnerKit's rows in a Django project's own database.

Add `"partnerkit.django"` to INSTALLED_APPS, run `migrate`, and

    platform = partnerkit.Platform.with_storage(DjangoStorage(), login_base="partner.example.com")

What is done inside `transaction.atomic()` commits or vanishes with it. PostgreSQL 15 and SQLite
3.35 or newer. On SQLite choose the write-ahead log, so that readers are in nobody's way, and have
what is deleted overwritten:

    "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON"}
"""

from .storage import DjangoStorage

__all__ = ["DjangoStorage"]
