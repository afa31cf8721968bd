"""How errors become answers: all of them have one shape."""

import logging
import math

import partnerkit
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

log = logging.getLogger(__name__)


def answer_library_error(request: Request, error: partnerkit.PartnerKitError) -> JSONResponse:
    """The library knows the status; a client gets field, code and message of what is wrong."""
    status = error.http_status
    body: dict[str, object] = {"error": error.kind, "message": str(error)}
    headers: dict[str, str] = {}
    if isinstance(error, partnerkit.ValidationError):
        body["errors"] = [
            {"field": e.field, "code": e.code, "message": e.message, "params": dict(e.params)}
            for e in error.errors
        ]
    elif isinstance(error, partnerkit.ConflictError):
        body["current_version"] = error.current_version
    elif isinstance(error, partnerkit.ThrottledError):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status >= 500:
        # The cause concerns who runs the portal, not its clients.
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        body["message"] = "the request failed"
    return JSONResponse(body, status, headers)


def answer_request_error(_request: Request, error: RequestValidationError) -> JSONResponse:
    """FastAPI's own checks answer in the same shape. Its standard answer would also repeat the
    input, and that may be a password."""
    errors = [
        {
            "field": ".".join(str(part) for part in found["loc"][1:]),
            "code": found["type"],
            "message": found["msg"],
            "params": {},
        }
        for found in error.errors()
    ]
    body = {"error": "validation", "message": "the request is not valid", "errors": errors}
    return JSONResponse(body, 422)


def install(app: FastAPI) -> None:
    """Registers both handlers: no endpoint has to catch anything."""
    app.exception_handler(partnerkit.PartnerKitError)(answer_library_error)
    app.exception_handler(RequestValidationError)(answer_request_error)
