"""Settings; what a test varies is in the environment."""

import json
import os

SECRET_KEY = "a key of a project for tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "partnerkit.django",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shop.views.ends_the_transaction",
]
ROOT_URLCONF = "shop.views"
DATABASES = json.loads(os.environ["PROJECT_DATABASES"])
DATABASE_ROUTERS = ["shop.routers.PartnerKitElsewhere"]
# Which database PartnerKit's tables are in.
PARTNERKIT_USING = os.environ.get("PROJECT_USING", "default")
