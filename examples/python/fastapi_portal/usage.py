"""The agency's side: what resellers use, as the agency's other programs report it."""

import math
from datetime import UTC, datetime
from typing import Annotated, Any

import partnerkit
from fastapi import APIRouter, Body, Depends, Response
from pydantic import BaseModel

from .guard import require_agency
from .portal import PortalDep

router = APIRouter(prefix="/usage", dependencies=[Depends(require_agency)])


class Consume(BaseModel):
    """A wish to use something now. The id makes repeating the request safe."""

    id: str
    reseller: str
    metric: str
    quantity: int


@router.post("/events")
async def record(
    portal: PortalDep, events: Annotated[list[Any], Body()]
) -> partnerkit.UsageReport:
    """Records what was used already. A bad event has a bad outcome of its own and does not
    spoil the batch, so nothing is checked here."""
    return await portal.agency.record_usage(events)


@router.post("/consume")
async def consume(
    portal: PortalDep, wish: Consume, response: Response
) -> partnerkit.Consumption:
    """Uses something if the limit allows it; the answer tells used, limit and `resets_at`."""
    answer = await portal.agency.consume(wish.reseller, wish.metric, wish.quantity, wish.id)
    if answer.reason == partnerkit.DenialReason.INACTIVE:
        # Waiting does not help here, so it is no 429.
        response.status_code = 403
    elif not answer:
        response.status_code = 429
        wait = (answer.resets_at - datetime.now(UTC)).total_seconds()
        response.headers["Retry-After"] = str(max(0, math.ceil(wait)))
    return answer
