"""Who may call the agency's side: whoever knows the token of the settings."""

import hmac
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from .portal import PortalDep

bearer = HTTPBearer(auto_error=False)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def require_agency(portal: PortalDep, given: Credentials) -> None:
    """Refuses a request without the agency's token."""
    token = given.credentials if given else ""
    # This comparison takes as long for a nearly right token as for a wrong one.
    if not hmac.compare_digest(token.encode(), portal.settings.agency_token.encode()):
        raise HTTPException(
            401, "the agency's token is missing", {"WWW-Authenticate": "Bearer"}
        )
