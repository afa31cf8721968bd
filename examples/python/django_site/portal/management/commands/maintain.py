"""Upkeep, for cron: `manage.py maintain` every few minutes."""

from django.core.management.base import BaseCommand

from portal.platform import platform


class Command(BaseCommand):
    """Removes what the library no longer needs."""

    help = "Removes what PartnerKit no longer needs. Run it every few minutes."

    def handle(self, *args: object, **options: object) -> None:
        """Goes on until every agency has had its turn."""
        removed, finished = 0, False
        while not finished:
            done = platform.maintain()
            removed, finished = removed + done.removed, done.finished
        self.stdout.write(f"removed {removed} rows")
