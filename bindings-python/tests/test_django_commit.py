"""What an answer to COMMIT says of what was committed (S43)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connections

import partnerkit
from partnerkit.django import DjangoStorage
from partnerkit.storage import Mode

(TOTALS,) = (table for table in partnerkit.schema() if table.name == "totals")
ROW = ("northwind", "messages", 1)


def stored(alias: str) -> bool:
    rows = DjangoStorage(using=alias).begin("northwind", Mode.READ)
    (found,) = rows.get(TOTALS, TOTALS.key, [ROW[:2]], None)
    rows.commit()
    return found is not None


@pytest.fixture
def says(postgres_alias: str) -> Iterator[object]:
    """Makes the server answer COMMIT with a code."""

    def say(code: str) -> None:
        with connections[postgres_alias].cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE 'so it is' USING ERRCODE = '{code}'; END $$"
            )
            cursor.execute(
                "CREATE CONSTRAINT TRIGGER says AFTER INSERT ON partnerkit_totals "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION says()"
            )

    yield say
    with connections[postgres_alias].cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS says ON partnerkit_totals")
        cursor.execute("DROP FUNCTION IF EXISTS says")


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("XX000", partnerkit.OutcomeUnknownError),
        ("40003", partnerkit.OutcomeUnknownError),
        ("57014", partnerkit.OutcomeUnknownError),
        ("40001", partnerkit.AbortedError),
        ("40P01", partnerkit.AbortedError),
        ("23514", IntegrityError),
        ("40002", DatabaseError),
    ],
)
def test_on_postgres_only_known_codes_mean_rolled_back(
    postgres_alias: str, says: object, code: str, raised: type[Exception]
) -> None:
    says(code)  # type: ignore[operator]
    rows = DjangoStorage(using=postgres_alias).begin("northwind", Mode.JOIN)
    rows.add(TOTALS, [ROW])
    with pytest.raises(raised):
        rows.commit()
    assert not stored(postgres_alias)


class Answers:
    """A connection whose COMMIT answers with a code of SQLite's."""

    def __init__(self, code: int) -> None:
        self.error = sqlite3.OperationalError("so it is")
        self.error.sqlite_errorcode = code

    def __call__(self) -> None:
        raise OperationalError("so it is") from self.error


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        (sqlite3.SQLITE_IOERR, partnerkit.OutcomeUnknownError),
        (sqlite3.SQLITE_IOERR_FSYNC, partnerkit.OutcomeUnknownError),
        (sqlite3.SQLITE_FULL, partnerkit.OutcomeUnknownError),
        (sqlite3.SQLITE_BUSY, partnerkit.AbortedError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, partnerkit.AbortedError),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, OperationalError),
    ],
)
def test_on_sqlite_an_error_of_the_disk_is_unknown(
    sqlite_alias: str, monkeypatch: pytest.MonkeyPatch, code: int, raised: type[Exception]
) -> None:
    rows = DjangoStorage(using=sqlite_alias).begin("northwind", Mode.JOIN)
    rows.add(TOTALS, [ROW])
    with monkeypatch.context() as patched:
        patched.setattr(connections[sqlite_alias], "_commit", Answers(code))
        with pytest.raises(raised):
            rows.commit()
    assert not stored(sqlite_alias)
