"""The application: what is open while it runs, and which endpoints it has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import partnerkit
from fastapi import FastAPI

from . import agency, errors, files, reseller, usage
from .mail import Mail
from .portal import Portal
from .settings import Settings
from .upkeep import keep_up


def create_app(settings: Settings, mail: Mail) -> FastAPI:
    """The portal for these settings; `mail` is called with each mail that is to be sent."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Portal]]:
        opened = await partnerkit.AsyncPlatform.open(
            settings.store,
            login_base=settings.login_base,
            source_limit=settings.source_limit,
        )
        async with opened as platform:  # closed at shutdown, after the last request
            portal = Portal(
                settings=settings,
                platform=platform,
                agency=await platform.ensure_agency(settings.agency),
                mail=mail,
            )
            upkeep = asyncio.create_task(keep_up(platform, settings.upkeep_every))
            yield {"portal": portal}
            upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await upkeep

    app = FastAPI(title="Agency portal", lifespan=lifespan)
    errors.install(app)
    for part in (agency, files, usage, reseller):
        app.include_router(part.router)
    return app
