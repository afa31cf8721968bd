"""The agency's side: resellers as CSV files."""

from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

import partnerkit
from fastapi import APIRouter, BackgroundTasks, Depends, UploadFile
from fastapi.responses import StreamingResponse

from .guard import require_agency
from .portal import Portal, PortalDep

router = APIRouter(prefix="/agency/csv", dependencies=[Depends(require_agency)])

IN_MEMORY = 1_000_000
CHUNK = 65_536


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of a file: the counts, and the rows that somebody must look at."""

    counts: partnerkit.ImportReport
    rejected: list[partnerkit.RowReport]


@router.post("")
async def import_file(
    portal: PortalDep, file: UploadFile, later: BackgroundTasks, dry_run: bool = False
) -> Imported:
    """Creates a reseller of each row; a row that is there already is left alone."""
    rejected: list[partnerkit.RowReport] = []
    created: list[partnerkit.RowReport] = []

    def note(row: partnerkit.RowReport) -> None:
        if row.kind == partnerkit.RowKind.REJECTED:
            rejected.append(row)
        elif row.kind == partnerkit.RowKind.CREATED:
            created.append(row)

    counts = await portal.agency.import_csv(file.file, dry_run=dry_run, each=note)
    if not dry_run:
        later.add_task(invite, portal, created)
    return Imported(counts=counts, rejected=rejected)


async def invite(portal: Portal, rows: list[partnerkit.RowReport]) -> None:
    """Mails a token to each new reseller, because a file brings no passwords."""
    for row in rows:
        if row.reseller is not None:
            await portal.mail_token(await portal.agency.reseller(row.reseller))


@router.get("", response_class=StreamingResponse)
async def export_file(portal: PortalDep, text: str | None = None) -> StreamingResponse:
    """Answers with all resellers, or those that a text finds."""
    # A large file goes to the disk, and the answer begins when all of it is there: an error is
    # an answer of its own then, and not a file that ends early.
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `chunks` closes it
    try:
        await portal.agency.export_csv(file, text)
    except BaseException:
        file.close()
        raise
    headers = {"Content-Disposition": 'attachment; filename="resellers.csv"'}
    return StreamingResponse(chunks(file), media_type="text/csv", headers=headers)


def chunks(file: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    """Reads a file from its beginning, and closes it."""
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk
