"""Performing the steps of the vectors (tests/vectors at the top of the repository) in Python.

The form of files, cases and steps is told in tests/src/vectors.rs.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import partnerkit
from partnerkit import Agency, Platform

TESTS = Path(__file__).parents[2] / "tests"
FOLDER = TESTS / "vectors"
SURFACE = json.loads((TESTS / "surface.json").read_text(encoding="utf-8"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

Json = Any
Args = dict[str, Json]


def cases() -> Iterator[tuple[str, Json]]:
    """Every case with a name for the test."""
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            yield f"{path.stem}: {case['name']}", case


class Clock:
    """Noon of a day in the middle of a month, until it is told otherwise."""

    def __init__(self) -> None:
        self.at = EPOCH + 1_773_576_000_000 * MILLISECOND

    def __call__(self) -> datetime:
        return self.at


def in_memory(**options: Any) -> Platform:
    return Platform.open("memory:", **options)


def run(
    case: Json,
    open: Callable[..., Platform] = in_memory,
    seen: Callable[[object], object] = lambda _answer: None,
) -> None:
    """Runs a case on an empty platform. Whatever an operation answers is seen."""
    clock = Clock()
    options = settings(case.get("settings", {}))
    platform = open(login_base="partner.example.com", clock=clock, **options)
    platform.create_agency("northwind")
    kept: Args = {}
    for number, step in enumerate(case["steps"], 1):
        if "forward" in step:
            clock.at += step["forward"] * MILLISECOND
            continue
        kept["now"] = to_wire(clock.at)
        place = f"step {number} ({step['call']})"
        failed, answer = attempt(platform, step, resolved(step.get("with", {}), kept), seen)
        assert failed == ("fails" in step), (
            f"{place}: {'failed' if failed else 'gave'} {answer}"
        )
        expected = step.get("fails") if failed else step.get("gives", "*")
        if expected != "*":
            found = difference(resolved(expected, kept), answer)
            assert found is None, f"{place}: {found}"
        if "keep" in step:
            kept[step["keep"]] = answer


def attempt(
    platform: Platform,
    step: Json,
    args: Args,
    seen: Callable[[object], object] = lambda _answer: None,
) -> tuple[bool, Json]:
    """Whether a step failed, and its answer or error in the wire form."""
    try:
        answer = perform(platform, step, args)
        seen(answer)
        return False, to_wire(answer)
    except partnerkit.PartnerKitError as error:
        return True, error_to_wire(error)


def settings(given: Json) -> Args:
    """Settings of a case as `Platform.open` takes them."""
    options = dict(given)
    if "source_limit" in options:
        burst, seconds = options["source_limit"]
        options["source_limit"] = (burst, timedelta(seconds=seconds))
    if "keep_changes_days" in options:
        options["keep_changes"] = timedelta(days=options.pop("keep_changes_days"))
    if "usage_lateness_days" in options:
        options["usage_lateness"] = timedelta(days=options.pop("usage_lateness_days"))
    return options


def resolved(value: Json, kept: Args) -> Json:
    """The value with every `$name.path` replaced by what was kept."""
    if isinstance(value, str) and value.startswith("$$"):
        return value[1:]
    if isinstance(value, str) and value.startswith("$"):
        name, *path = value[1:].split(".")
        found = kept[name]
        for key in path:
            found = found[int(key) if isinstance(found, list) else key]
        return found
    if isinstance(value, list):
        return [resolved(item, kept) for item in value]
    if isinstance(value, dict):
        return {name: resolved(item, kept) for name, item in value.items()}
    return value


def difference(expected: Json, actual: Json) -> str | None:
    """Where an answer is not what was expected."""
    if expected == "*" and actual is not None:
        return None
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            if found := difference(value, actual.get(name)):
                return f"{name}: {found}"
        return None
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for place, (one, other) in enumerate(zip(expected, actual, strict=True)):
            if found := difference(one, other):
                return f"{place}: {found}"
        return None
    return None if expected == actual else f"{expected} was expected, not {actual}"


# Python's records in the wire form


def to_wire(value: object) -> Json:
    """A record, or anything in one, as JSON has it."""
    match value:
        case StrEnum():
            return str(value)
        case UUID():
            return str(value)
        case datetime():
            return (value - EPOCH) // MILLISECOND
        case partnerkit.ValidationError():
            return {"fields": [field_to_wire(error) for error in value.errors]}
        case partnerkit.Total(count=count, exact=exact):
            return {"exact" if exact else "at_least": count}
        case partnerkit.RowReport():
            return {"line": value.line, "outcome": outcome_to_wire(value)}
        case partnerkit.DeletionPreview():
            plan = fields_to_wire(value)
            return plan | {"levels": [[name, level] for name, level in value.levels.items()]}
        case Mapping():
            return {name: to_wire(item) for name, item in value.items()}
        case list() | tuple():
            return [to_wire(item) for item in value]
    return fields_to_wire(value) if dataclasses.is_dataclass(value) else value


def fields_to_wire(record: Any) -> Json:
    names = [field.name for field in dataclasses.fields(record)]
    return {name: to_wire(getattr(record, name)) for name in names}


def outcome_to_wire(row: partnerkit.RowReport) -> Json:
    if row.kind is partnerkit.RowKind.REJECTED:
        return {"rejected": [field_to_wire(error) for error in row.errors]}
    return {str(row.kind): to_wire(row.reseller)}


def field_to_wire(error: partnerkit.FieldError) -> Json:
    return {"field": error.field, "code": error.code, "params": dict(error.params)}


def error_to_wire(error: partnerkit.PartnerKitError) -> Json:
    wire: Args = {"kind": error.kind, "message": str(error)}
    if isinstance(error, partnerkit.ValidationError):
        wire["fields"] = [field_to_wire(field) for field in error.errors]
    if isinstance(error, partnerkit.ConflictError):
        wire["current_version"] = error.current_version
    if isinstance(error, partnerkit.ThrottledError):
        wire["retry_after"] = round(error.retry_after * 1_000)
    return wire


# Arguments


def instant(millis: int) -> datetime:
    return EPOCH + millis * MILLISECOND


def is_instant(of: Json) -> bool:
    """Whether a type of the surface is an instant, which may be left out."""
    optional = of.get("optional") if isinstance(of, dict) else None
    return of == {"named": "Timestamp"} or (optional is not None and is_instant(optional))


def instants(operation: Json) -> set[str]:
    """The arguments of an operation, and the fields of its form, that are instants."""
    records = {record["name"]: record["fields"] for record in SURFACE["records"]}
    arguments = operation["arguments"]
    forms = [of["type"]["named"] for of in arguments if "named" in of["type"]]
    fields = [field for form in forms for field in records.get(form, [])]
    return {of["name"] for of in (*arguments, *fields) if is_instant(of["type"])}


INSTANTS = {
    operation["name"]: instants(operation)
    for operation in (*SURFACE["platform"], *SURFACE["agency"])
}


def converted(call: str, given: Args) -> Args:
    """Arguments of an operation, of which JSON has instants as numbers."""
    names = INSTANTS.get(call, set())
    return {
        name: instant(value) if name in names and type(value) is int else value
        for name, value in given.items()
    }


def form(given: Args) -> Args:
    """`{"label": "acme", "but": {…}}` as the fields of a form."""
    label = given.get("label", "acme")
    fields = {
        "partner_type": "own_plans",
        "name": f"The {label} company",
        "email": f"owner@{label}.example",
        "phone": {"country": "US", "number": "(415) 555-2671"},
        "invite": True,
        "contact": {
            "name": "Ann Lee",
            "email": "ann@contact.example",
            "phone": {"number": "+49 30 901820"},
        },
        "login_domain": label,
    } | given.get("but", {})
    return converted("create_reseller", fields)


def events(given: list[dict[str, Any]]) -> list[partnerkit.UsageEvent]:
    """Whatever the fields hold: what is wrong with them is the library's to say."""
    return [
        partnerkit.UsageEvent(
            id=event.get("id"),
            reseller=event.get("reseller"),
            metric=event.get("metric"),
            quantity=event.get("quantity"),
            at=instant(event["at"]) if type(event.get("at")) is int else event.get("at"),
        )
        for event in given
    ]


# Operations


def perform(platform: Platform, step: Json, args: Args) -> object:
    if "on" not in step:
        return ON_PLATFORM.get(step["call"], call_platform(step["call"]))(platform, args)
    agency = platform.agency(step["on"])
    if "as" in step:
        agency = agency.acting_as(step["as"])
    return ON_AGENCY.get(step["call"], call_agency(step["call"]))(agency, args)


def call_platform(name: str) -> Callable[[Platform, Args], object]:
    """An operation whose arguments are those of a step."""
    return lambda platform, args: getattr(platform, name)(**converted(name, args))


def call_agency(name: str) -> Callable[[Agency, Args], object]:
    return lambda agency, args: getattr(agency, name)(**converted(name, args))


def country(_platform: Platform, args: Args) -> object:
    return next((c for c in partnerkit.phone_countries() if c.code == args["code"]), None)


def national_format(_platform: Platform, args: Args) -> object:
    return partnerkit.national_format(args["phone"])


def create(agency: Agency, args: Args) -> object:
    key = {name: args[name] for name in ("idempotency_key",) if name in args}
    return agency.create_reseller(**key, **form(args))


def import_csv(agency: Agency, args: Args) -> object:
    rows: list[object] = []
    options = {name: args[name] for name in ("dry_run", "delimiter") if name in args}
    file = io.BytesIO(args["file"].encode())
    return {"report": agency.import_csv(file, each=rows.append, **options), "rows": rows}


def export_csv(agency: Agency, args: Args) -> object:
    file = io.BytesIO()
    agency.export_csv(file, **converted("export_csv", args))
    return file.getvalue().decode()


ON_PLATFORM: dict[str, Callable[[Platform, Args], object]] = {
    "create_agency": lambda platform, args: platform.create_agency(**args).id,
    "ensure_agency": lambda platform, args: platform.ensure_agency(**args).id,
    "form_errors": lambda platform, args: platform.form_errors(args.get("field"), **form(args)),
    "national_format": national_format,
    "phone_countries": country,
}

ON_AGENCY: dict[str, Callable[[Agency, Args], object]] = {
    "create_reseller": create,
    "create_resellers": lambda agency, args: agency.create_resellers(map(form, args["forms"])),
    "check_resellers": lambda agency, args: agency.check_resellers(map(form, args["forms"])),
    "set_allowance": lambda agency, args: agency.set_allowance(
        args["reseller"], args["metric"], args["limit"]
    ),
    "import_csv": import_csv,
    "export_csv": export_csv,
    "record_usage": lambda agency, args: agency.record_usage(events(args["events"])),
    "backfill": lambda agency, args: agency.backfill(events(args["rollups"])),
}
