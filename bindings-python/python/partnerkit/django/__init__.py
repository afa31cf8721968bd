"""PartnerKit's rows in a Django project's own database.

Add `"partnerkit.django"` to INSTALLED_APPS, run `migrate`, and

    platform = partnerkit.Platform.with_storage(DjangoStorage(), login_base="partner.example.com")

What is done inside `transaction.atomic()` commits or vanishes with it. PostgreSQL 15 and SQLite
3.35 or newer. On SQLite choose the write-ahead log, so that readers are in nobody's way, and have
what is deleted overwritten:

    "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON"}

`check_access` and `sign_in` inside a block see what the block sees. With PostgreSQL's READ
COMMITTED, the default, that is the newest commit. With REPEATABLE READ or SERIALIZABLE, and on
SQLite once the block has read, it is the block's snapshot: a reseller that is switched off
meanwhile is refused from the next block on. Ask before such a block begins, in a middleware.
"""

from .storage import DjangoStorage

__all__ = ["DjangoStorage"]
