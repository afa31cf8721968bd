"""Upkeep: the store does not grow for ever."""

import asyncio
import logging
from datetime import timedelta

import partnerkit

log = logging.getLogger(__name__)


async def keep_up(platform: partnerkit.AsyncPlatform, every: timedelta) -> None:
    """Maintains the platform until it is cancelled. A failure is noted, and the next turn
    tries again."""
    while True:
        try:
            removed, finished = 0, False
            while not finished:
                done = await platform.maintain()
                removed, finished = removed + done.removed, done.finished
            log.info("upkeep removed %d rows", removed)
        except partnerkit.PartnerKitError:
            log.exception("upkeep failed")
        await asyncio.sleep(every.total_seconds())
