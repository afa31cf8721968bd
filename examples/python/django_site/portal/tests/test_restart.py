"""The site as a process of its own, as an operator starts and ends it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

from django.conf import settings

from .browser import Browser
from .world import PASSWORD, typed


class RestartTest(TestCase):
    """What was created is there after a restart."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.environment = os.environ | {
            "SITE_DATABASE": str(Path(folder.name) / "site.db"),
            "SITE_SECRET_KEY": "a key of the tests only",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
        }

    def manage(self, *arguments: str) -> list[str]:
        """A command line of Django's."""
        return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]

    def run_command(self, *arguments: str) -> str:
        """Runs a command to its end, and gives what it writes."""
        return subprocess.run(
            self.manage(*arguments),
            env=self.environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    @contextmanager
    def server(self) -> Iterator[str]:
        """Runs the server on a port that the system chooses, and gives its address."""
        with subprocess.Popen(
            self.manage("runserver", "--noreload", "127.0.0.1:0"),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout
            try:
                for line in process.stdout:
                    if found := re.search(r"server at (http://127\.0\.0\.1:\d+)", line):
                        yield found[1]
                        break
                else:
                    self.fail("the server did not start")
            finally:
                process.terminate()

    def test_a_restart_keeps_data_and_sessions(self) -> None:
        self.run_command("migrate")
        who = ["--username", "ann", "--email", "ann@northwind.example"]
        self.run_command("createsuperuser", "--noinput", *who)
        with self.server() as address:
            staff = Browser(address, "localhost")
            staff.post("/sign-in", {"username": "ann", "password": PASSWORD})
            self.assertEqual(staff.post("/new", typed("acme")).status_code, 302)
            staff.close()
            acme = Browser(address, "acme.partner.localhost")
            acme.post("/sign-in", {"email": "owner@acme.example", "password": PASSWORD})
            self.assertIn("Acme Télécom", acme.get("/").text)
            acme.close()

        self.assertIn("removed", self.run_command("maintain"))

        with self.server() as address:
            again = Browser(address, "acme.partner.localhost")
            again.cookies = acme.cookies
            self.assertIn("Setup fee: 49.00", again.get("/").text)
            again.close()
