"""One of several processes that do everything at once through Django, without a pause."""

from __future__ import annotations

import json
import random
import sys
from datetime import timedelta

import hosting
from churn import AGENCIES, KEYS, LABELS, LIMIT, label
from forms import PASSWORD, draft, draft_with_password

alias, databases, seed, steps = sys.argv[1], json.loads(sys.argv[2]), *map(int, sys.argv[3:])
hosting.start(databases)

import partnerkit  # noqa: E402
from partnerkit.django import DjangoStorage  # noqa: E402

# What may come of others doing something at the same moment.
IN_THE_WAY = (
    partnerkit.AbortedError,
    partnerkit.AccessDeniedError,
    partnerkit.BusyError,
    partnerkit.ConflictError,
    partnerkit.NotFoundError,
    partnerkit.ValidationError,
)

platform = partnerkit.Platform.with_storage(
    DjangoStorage(using=alias),
    # Free at once, so that every pruning may meet somebody who takes the label.
    quarantine="immediately",
    keep_idempotency_keys=timedelta(milliseconds=1),
    sign_in_limit=LIMIT,
)
rng = random.Random(seed)


def step() -> None:
    what = rng.randrange(100)
    id = f"agency-{rng.randrange(AGENCIES)}"
    if what < 25:
        platform.maintain(20)
        return
    if what == 25 and rng.random() < 0.5:
        platform.delete_agency(id)
        return
    agency = platform.ensure_agency(id)
    if what < 55:
        form = (draft_with_password if what < 30 else draft)(label(rng.randrange(LABELS)))
        agency.create_reseller(**form, idempotency_key=f"key-{rng.randrange(KEYS)}")
        return
    resellers = agency.search(limit=50)
    chosen = next((reseller for reseller in resellers if rng.random() < 0.2), None)
    if chosen is None:
        return
    if what < 75:
        agency.rename_login_domain(chosen.id, label(rng.randrange(LABELS)))
    elif what < 80:
        agency.delete_reseller(chosen.id)
    elif what < 87:
        agency.consume(chosen.id, "messages", 1, str(rng.getrandbits(60)))
    elif what == 87:
        agency.unlock(chosen.id)
    else:
        password = PASSWORD if rng.random() < 0.25 else "wrong"
        platform.sign_in(chosen.login_domain, chosen.email, password)


for _ in range(steps):
    try:
        step()
    except IN_THE_WAY:
        pass
print("done")
