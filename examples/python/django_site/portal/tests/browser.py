"""A small browser: it asks for a host on the tests' server, and keeps the cookies."""

import re
from http.cookies import SimpleCookie

import httpx


class Browser:
    """Cookies of one host. It waits for answers as long as it must."""

    def __init__(self, address: str, host: str) -> None:
        self.client = httpx.Client(base_url=address, headers={"Host": host}, timeout=None)
        self.cookies: dict[str, str] = {}

    def _ask(self, method: str, path: str, data: dict[str, str] | None) -> httpx.Response:
        # httpx would keep secure cookies back, because the tests' server has no HTTPS.
        self.client.cookies.clear()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.client.request(method, path, data=data, headers={"Cookie": cookies})
        for header in answer.headers.get_list("set-cookie"):
            for name, cookie in SimpleCookie(header).items():
                self.cookies[name] = cookie.value
        return answer

    def get(self, path: str) -> httpx.Response:
        """Opens a page."""
        return self._ask("GET", path, None)

    def post(
        self, path: str, data: dict[str, str], form_at: str | None = None
    ) -> httpx.Response:
        """Opens a page with a form, and sends it."""
        page = self.get(form_at or path).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page
        return self._ask("POST", path, {"csrfmiddlewaretoken": token[1], **data})

    def close(self) -> None:
        """Ends the connection."""
        self.client.close()
