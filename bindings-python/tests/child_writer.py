"""Creates resellers through Django and names each on its output, until it is killed."""

from __future__ import annotations

import json
import sys
from itertools import product
from string import ascii_lowercase

import hosting
from forms import draft

alias, databases = sys.argv[1], json.loads(sys.argv[2])
hosting.start(databases)

import partnerkit  # noqa: E402
from partnerkit.django import DjangoStorage  # noqa: E402

platform = partnerkit.Platform.with_storage(DjangoStorage(using=alias))
agency = platform.agency("northwind")
for letters in product(ascii_lowercase, repeat=3):
    label = sys.argv[3] + "".join(letters)
    reseller = agency.create_reseller(**draft(label, external_id=f"crm-{label}"))
    print(reseller.id, label, flush=True)
