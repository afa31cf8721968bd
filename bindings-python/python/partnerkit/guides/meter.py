"""Meter what resellers use.

The code has an `agency` and its reseller `acme`; see `partnerkit.guides.onboard`.

| metric | kind | what an event's quantity is |
|---|---|---|
| `messages` | counter | messages of every channel that were sent |
| `whatsapp_messages` | counter | WhatsApp messages that were sent |
| `whatsapp_conversations` | counter | conversations of 24 hours that began |
| `team_members` | gauge | how many members there are now |

A counter adds up. Of a gauge the level with the latest time counts, whatever order events arrive in.
Metrics do not contain each other: a WhatsApp message that is to count among all messages is two
events, with two ids.

## Record a batch

A worker takes events from its queue, at most 10,000, and records them in one step. An event's `id`
is the queue's (or any text of yours, 1–255 bytes, unique in the agency): whatever is sent again is
counted once. `at` is when it was used: RFC 3339 with its offset, or a value of the language's own
type.

```python
at = acme.created_at.isoformat()
events = [
    {"id": "msg-1", "reseller": acme.id, "metric": "messages", "quantity": 250, "at": at},
    {"id": "msg-1", "reseller": acme.id, "metric": "messages", "quantity": 250, "at": at},
    {"id": "msg-2", "reseller": acme.id, "metric": "calls", "quantity": 1, "at": at},
]
report = agency.record_usage(events)
kept_aside = []
for event, outcome in zip(events, report.outcomes, strict=True):
    if outcome.kind not in ("accepted", "duplicate"):  # those are acknowledged
        kept_aside.append((event["id"], outcome.field, outcome.code))
assert report.accepted == 1
assert kept_aside == [("msg-2", "metric", "unknown_metric")]
```

| outcome | what it means | what to do |
|---|---|---|
| accepted | it was counted | acknowledge it |
| duplicate | it had been counted before | acknowledge it |
| conflict | another event has its id | keep it aside: its sender has a defect |
| rejected | a field is wrong; `field` and `code` say which and why | keep it aside |

One bad event stops no other. When the call fails as a whole (a database that is away), acknowledge
nothing and send the batch again, also after `OutcomeUnknown`: the ids see to it that nothing counts
twice.

## When events may arrive

| | |
|---|---|
| up to 35 days late | accepted; it counts for the time in `at` |
| later than that | rejected, `at`: `too_old` |
| up to 5 minutes ahead of the clock here | accepted |
| further ahead | rejected, `at`: `in_the_future` |
| sent again, as long as it is accepted | recognised as a duplicate |
| sent again later than that | rejected, `at`: `too_old`; it is not counted twice |

So an event that is `too_old` may have been counted long ago. Bring it in by `backfill` only if you know that it
was not: a rollup has an id of its own, beside those of events, and cannot be taken back.

The setting `usage_lateness` accepts other times than 35 days back; events are always kept five days longer.
When it is raised, events of a time that was forgotten already stay `too_old`, so that none counts twice.

An event has no other names than these: another one is rejected as `unknown_field`, as in a form. (An object
of your own class in Python may have any attributes.)

Usage of a reseller that is switched off is accepted: it has happened. A reseller that is deleted, or
is another agency's, is rejected (`unknown_reseller`).

In Rust an event that you make yourself is a `UsageEvent`, in Python a `partnerkit.UsageEvent`; in
JavaScript there is only one kind:

```python
level = partnerkit.UsageEvent(
    id="team-1",
    reseller=acme.id,
    metric=partnerkit.Metric.TEAM_MEMBERS,
    quantity=3,  # the level, not the difference
    at=acme.created_at,
)
assert agency.record_usage([level]).accepted == 1
```

## Show the overview

The overview has totals over all time, and costs the same for one reseller as for a million. Counters
include what deleted resellers used; `team_members` is the sum of the levels of the resellers there
are.

```python
overview = agency.overview()
assert (overview.active_resellers, overview.messages, overview.team_members) == (1, 250, 3)
```

`overview_between` shows what was used in a period. What a reseller has used in this month is what
`allowance` tells: see `partnerkit.guides.limit`.

## Read a range of time

A range begins and ends on a quarter of an hour, which is how finely usage is kept. It is divided by the
calendar of a time zone, the agency's unless you name another one: into hours, days, ISO weeks or
months, or not at all. Each row is about one metric; numbers of different metrics are never added.

```python
from datetime import UTC, datetime

query = {"start": datetime(2026, 1, 1, tzinfo=UTC), "end": datetime(2100, 1, 1, tzinfo=UTC)}
for row in agency.usage(**query, window="month", metrics=["messages"]).rows:
    print(f"{row.start} {row.metric}: {row.value} in {row.events} events")
```

A month, a day or an hour of the agency's calendar is one window. Ask for a range that begins before it and
ends after it, in any zone, and take the window in the middle: so nobody has to know when the month begins
there. A window is named by the date in its middle: where your language knows older rules of the zone than the
library, the dates of its ends may be others.

```python
from zoneinfo import ZoneInfo

zone = ZoneInfo(agency.settings().time_zone)
start, end = datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 12, 3, tzinfo=UTC)
page = agency.usage(start=start, end=end, window="month", metrics=["messages"], fill=True)
middles = [(row.start + (row.end - row.start) / 2).astimezone(zone) for row in page.rows]
by_month = {f"{middle:%Y-%m}": row.value for middle, row in zip(middles, page.rows)}
print(f"November: {by_month['2026-11']}")
```

| | |
|---|---|
| `by_reseller` | each reseller has rows of its own; otherwise a row is about all of them together |
| `resellers` | only these, by themselves or together |
| `fill` | a row for each window: a counter is 0 where nothing was reported, a gauge keeps its level |
| `limit`, `after` | a page, and where it begins: the `next` of the page before |
| a gauge's `value` | its level at the end of the window; of several resellers, the sum of their levels |

What changes a clock also divides: a day has 23 or 25 hours, and where summer time is half an hour
(Lord Howe Island), an hour is divided on two days a year. Where a clock was changed between two quarters
of an hour (a minute past midnight in St John's until 2011), the window begins at the next one.

The counters of an agency are read as fast as those of one reseller. Rows of each reseller, the levels
of a past day, and `top_resellers`, which names those that used the most, take longer the more
resellers there are.

## Bring history along

What was used before the first time of events comes in by `backfill`, as rollups: one for each month, day
or hour of a reseller's metric, as finely as it is known. A rollup has the form of an event, and an `id` of its
own that is kept for ever, so this, too, may be sent again. Where only the day is known, `at` is where the
day begins in the agency's time zone.

```python
march = partnerkit.UsageEvent(
    id="acme-messages-2024-03",
    reseller=acme.id,
    metric=partnerkit.Metric.MESSAGES,
    quantity=12_000,
    at=datetime(2024, 3, 1, tzinfo=UTC),
)
assert agency.backfill([march]).accepted == 1
```

## Prove the sums

`verify_usage` adds up again what is stored, and names every number that differs. It changes nothing, and
nobody waits for it; run it after a database was restored, moved or edited by hand. Its documentation says
what it cannot tell once old events are removed.

```python
verification = agency.verify_usage()
for of in verification.differences:
    print(f"{of.start} {of.metric}: {of.stored} is stored, not {of.expected}")
assert verification.found == 0
```

@generated by `cargo run -p partnerkit-generate` from `core/docs/guides`; do not edit.
"""
