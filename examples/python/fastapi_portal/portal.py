"""What every request needs: the open platform and the agency."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, cast
from urllib.parse import quote

import partnerkit
from fastapi import Depends, Request

from .mail import Mail, Message
from .settings import Settings


@dataclass(frozen=True, kw_only=True)
class Portal:
    """One platform that is open, and the agency that it serves."""

    settings: Settings
    platform: partnerkit.AsyncPlatform
    agency: partnerkit.AsyncAgency
    mail: Mail

    async def mail_token(self, reseller: partnerkit.Reseller) -> None:
        """Mails a token for a new password: to the stored address, never to a typed one."""
        token = await self.agency.reset_token(reseller.id)
        url = self.platform.login_url(reseller.login_domain)
        message = Message(
            to=reseller.email,
            subject="Set your password",
            text=f"Set your password within an hour:\n{url}/password#{quote(token, safe='')}",
        )
        # The host's function may block, so it gets a thread.
        await asyncio.to_thread(self.mail, message)


def get_portal(request: Request) -> Portal:
    """The portal that the lifespan opened."""
    return cast(Portal, request.state.portal)


PortalDep = Annotated[Portal, Depends(get_portal)]
