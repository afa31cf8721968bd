"""Guesses passwords by the requests of a host: what every setting of Django's has to withstand.

`python -m shop.attack client|server` prints what came back, as JSON.
"""

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode

import django

GUESSES = 15


def failures():
    from django.conf import settings
    from django.db import connections

    with connections[settings.PARTNERKIT_USING].cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(failures), 0) FROM partnerkit_attempts")
        (count,) = cursor.fetchone()
    return count


def by_client(path, **query):
    """Through the whole stack of handlers, on this thread."""
    from django.test import Client

    response = Client(raise_request_exception=False).get(f"/{path}", query)
    return response.status_code, response.json() if response.status_code == 200 else None


class Server:
    """The WSGI application behind a server with a thread for each request."""

    def __init__(self):
        from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
        from django.core.wsgi import get_wsgi_application

        class Quiet(WSGIRequestHandler):
            def log_message(self, *_args):
                pass

        self.server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
        self.server.set_app(get_wsgi_application())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path, **query):
        connection = HTTPConnection("127.0.0.1", self.server.server_port)
        try:
            connection.request("GET", f"/{path}?{urlencode(query)}")
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        return response.status, json.loads(body) if response.status == 200 else None


def several(get, count, *args, at_once=1, **query):
    with ThreadPoolExecutor(at_once) as threads:
        answers = threads.map(lambda _: get(*args, **query)[0], range(count))
        return list(answers)


def attack(get, at_once):
    from shop.forms import PASSWORD

    found = {"created": get("create", label="acme"), "page": get("page", label="acme")}
    id = (found["created"][1] or {}).get("id", "")
    found["consumed"] = [get("consume", label="acme", id=id, call=str(n))[1] for n in range(4)]
    right = {"label": "acme", "password": PASSWORD}
    wrong = {"label": "acme", "password": "wrong"}
    found["at_first"] = get("sign-in", **right)
    # Each counts, but fewer than the limit leave the right password in, which forgets them.
    found["four"] = several(get, 4, "sign-in", **wrong)
    found["failures_of_four"] = failures()
    found["then"] = get("sign-in", **right)
    found["failures_then"] = failures()
    found["asynchronous"] = [
        get("sign-in-async", **wrong)[0],
        failures(),
        get("sign-in-async", **right)[0],
    ]
    guesses = {"count": GUESSES, "at_once": at_once}
    found["guesses"] = several(get, guesses["count"], "sign-in", at_once=at_once, **wrong)
    found["failures"] = failures()
    found["right_after_the_limit"] = get("sign-in", **right)[0]
    return found


def main(way):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    django.setup()
    if way == "client":
        found = attack(by_client, at_once=1)
    else:
        found = attack(Server().get, at_once=8)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
