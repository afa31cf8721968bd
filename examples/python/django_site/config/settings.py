"""Settings of the site."""

import os
from datetime import timedelta
from pathlib import Path

from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).parent.parent

# Without a key of yours, everybody has to sign in again after a restart.
SECRET_KEY = os.environ.get("SITE_SECRET_KEY") or get_random_secret_key()
DEBUG = os.environ.get("SITE_DEBUG") == "1"

# PartnerKit: resellers have hosts under the base, the agency's staff has its own.
AGENCY = "northwind"
LOGIN_BASE = os.environ.get("SITE_LOGIN_BASE", "partner.localhost")
# From one address twenty sign-ins may fail at once, and then one more a minute.
SOURCE_LIMIT = (20, timedelta(minutes=1))
STAFF_HOSTS = ["localhost", "127.0.0.1"]
ALLOWED_HOSTS = [*STAFF_HOSTS, f".{LOGIN_BASE}"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "partnerkit.django",
    "portal",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.ResellerMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.LibraryErrorMiddleware",
]
ROOT_URLCONF = "config.urls_staff"
RESELLER_URLCONF = "config.urls_reseller"
WSGI_APPLICATION = "config.wsgi.application"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "resellers"

# There are no static files; the tests' server asks for it all the same.
STATIC_URL = "static/"

TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SITE_DATABASE", BASE_DIR / "site.db"),
        # Readers are in nobody's way, what is deleted is overwritten, and blocks wait for
        # each other.
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA secure_delete=ON",
            "transaction_mode": "IMMEDIATE",
        },
        # The tests' server has a thread of its own, and so needs a file.
        "TEST": {"NAME": BASE_DIR / f"test-{os.getpid()}.db"},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The library's stamps do not end by themselves; the session that holds one does.
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # A client's mistake has an answer, and is no news.
    "loggers": {"django": {"level": "ERROR"}, "django.server": {"level": "ERROR"}},
}
