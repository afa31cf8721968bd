"""The agency's side: its resellers."""

from typing import Annotated, Any

import partnerkit
from fastapi import APIRouter, BackgroundTasks, Body, Depends

from .guard import require_agency
from .portal import PortalDep

router = APIRouter(prefix="/agency", dependencies=[Depends(require_agency)])


@router.post("/resellers", status_code=201)
async def create(
    portal: PortalDep, form: dict[str, Any], later: BackgroundTasks
) -> partnerkit.Reseller:
    """Creates a reseller. The library checks the form, so it is passed on as it came."""
    reseller = await portal.agency.create_reseller(**form)
    if form.get("invite"):
        later.add_task(portal.mail_token, reseller)
    return reseller


@router.get("/resellers")
async def find(
    portal: PortalDep,
    text: str | None = None,
    status: partnerkit.Status | None = None,
    sort: partnerkit.SortBy | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> partnerkit.Page:
    """Lists or searches; `next` of the answer is `after` of the next request."""
    return await portal.agency.page(
        text, status=status, sort=sort, limit=limit, after=after, with_total=True
    )


# An id stays a text here: whatever is none is `NotFoundError`, like any unknown one.
@router.get("/resellers/{id}")
async def show(portal: PortalDep, id: str) -> partnerkit.Reseller:
    """One reseller."""
    return await portal.agency.reseller(id)


@router.post("/resellers/{id}/deactivate")
async def deactivate(
    portal: PortalDep, id: str, reason: Annotated[str | None, Body(embed=True)] = None
) -> partnerkit.Reseller:
    """Switches a reseller off; it is off when this has answered."""
    return await portal.agency.deactivate(id, reason)


@router.post("/resellers/{id}/activate")
async def activate(portal: PortalDep, id: str) -> partnerkit.Reseller:
    """Switches a reseller on again."""
    return await portal.agency.activate(id)


@router.put("/resellers/{id}/allowances/{metric}", status_code=204)
async def set_allowance(
    portal: PortalDep, id: str, metric: str, limit: Annotated[int | None, Body(embed=True)]
) -> None:
    """Sets how much a reseller may consume in a month; null lifts the limit."""
    await portal.agency.set_allowance(id, metric, limit)


@router.get("/overview")
async def overview(portal: PortalDep) -> partnerkit.Overview:
    """The agency's totals."""
    return await portal.agency.overview()
