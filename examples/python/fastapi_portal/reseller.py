"""The reseller's side: each reseller has a host name, and its stamp opens that one only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import partnerkit
from fastapi import APIRouter, BackgroundTasks, Depends, Header, Request, Response
from pydantic import BaseModel, Field

from .portal import Portal, PortalDep

router = APIRouter()

COOKIE = "stamp"
COUNTERS: list[partnerkit.Metric] = [
    metric for metric in partnerkit.Metric if metric != partnerkit.Metric.TEAM_MEMBERS
]

Host = Annotated[str, Header()]


class SignIn(BaseModel):
    """Who somebody says to be."""

    email: str
    password: str = Field(repr=False)


class Forgotten(BaseModel):
    """Who needs a new password."""

    email: str


class NewPassword(BaseModel):
    """A new password, and the token that was mailed."""

    token: str = Field(repr=False)
    password: str = Field(repr=False)
    password_confirmation: str = Field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Meter:
    """What was used of a metric this month."""

    used: int
    limit: int | None
    resets_at: datetime


@dataclass(frozen=True, kw_only=True)
class OwnPage:
    """What a reseller sees of itself."""

    profile: partnerkit.Reseller
    use: dict[partnerkit.Metric, Meter]


async def signed_in(portal: PortalDep, request: Request, host: Host) -> UUID:
    """Who asks. Stamp and host are checked at every request: "switched off" means now, and the
    stamp of one reseller does not open the pages of another."""
    stamp = request.cookies.get(COOKIE, "")
    identity = await portal.platform.check_access(stamp, host)
    return identity.reseller


SignedIn = Annotated[UUID, Depends(signed_in)]


@router.post("/sign-in", status_code=204)
async def sign_in(
    portal: PortalDep, request: Request, response: Response, host: Host, typed: SignIn
) -> None:
    """Signs in at the reseller that the host name belongs to."""
    place = await portal.platform.resolve_host(host)
    # Behind a proxy, uvicorn puts the client's address here if it trusts the proxy.
    source = request.client.host if request.client else None
    access = await portal.platform.sign_in(
        place.login_domain, typed.email, typed.password, source
    )
    # Without a domain the browser returns the cookie to this very host only; a secure one it
    # returns over HTTPS and, while you try the program, to `….localhost`.
    response.set_cookie(COOKIE, access.stamp, httponly=True, samesite="strict", secure=True)


async def read_meter(portal: Portal, me: UUID, metric: partnerkit.Metric) -> Meter:
    """Reads a meter by consuming nothing. The id is always the same one, so that looking again
    adds nothing to the store."""
    look = await portal.agency.consume(me, metric, 0, f"look-{metric}-{me}")
    return Meter(used=look.used, limit=look.limit, resets_at=look.resets_at)


@router.get("/me")
async def own_page(portal: PortalDep, me: SignedIn) -> OwnPage:
    """The reseller's profile, and what it has used this month."""
    use = {metric: await read_meter(portal, me, metric) for metric in COUNTERS}
    return OwnPage(profile=await portal.agency.reseller(me), use=use)


@router.post("/sign-out", status_code=204)
async def sign_out(portal: PortalDep, me: SignedIn, response: Response) -> None:
    """Signs out everywhere: a copy of the cookie must not outlive this, and a stamp cannot be
    ended without the reseller's others."""
    await portal.agency.revoke_access(me)
    response.delete_cookie(COOKIE)


@router.post("/password/forgotten", status_code=202)
async def forgotten(
    portal: PortalDep, host: Host, typed: Forgotten, later: BackgroundTasks
) -> None:
    """Mails a token if the address is the reseller's. The answer is the same if it is not, and
    as fast, because the mail is sent after it."""
    place = await portal.platform.resolve_host(host)
    reseller = await portal.agency.reseller(place.reseller)
    if reseller.email.casefold() == typed.email.strip().casefold():
        later.add_task(portal.mail_token, reseller)


@router.post("/password/reset", status_code=204)
async def reset(portal: PortalDep, typed: NewPassword) -> None:
    """Sets a new password with a mailed token. Whoever was signed in is signed out."""
    await portal.platform.reset_password(
        typed.token,
        password=typed.password,
        password_confirmation=typed.password_confirmation,
    )
