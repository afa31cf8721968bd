"""Writes phones.tsv: what Google's numbering plans say of numbers of every country.

    pip install phonenumbers==9.0.42 && python3 tests/data/phones.py

To be run again with the version of the plans that the core's library comes with.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import phonenumbers as plans
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat

KINDS = (
    "fixed_line mobile toll_free premium_rate shared_cost personal_number voip pager uan voicemail"
).split()
REGIONS = sorted(plans.SUPPORTED_REGIONS)
CHANGED_A_COUNTRY = 4
TYPED = set("0123456789+-./() \u00a0")
CHANGES = "insert drop replace prefix punctuation abroad code twice zero".split()
chance = random.Random(1)


def examples(plan: PhoneMetadata) -> Iterator[str]:
    for kind in KINDS:
        described = getattr(plan, kind)
        if described is not None and described.example_number:
            yield described.example_number


def formatted(number: PhoneNumber, how: int) -> str:
    return plans.format_number(number, how)


def changed(raw: str, number: PhoneNumber, region: str) -> tuple[str, str]:
    """Something that a form might get, and the country it might be given for."""
    code, national = number.country_code, plans.national_significant_number(number)
    at = chance.choice([i for i, c in enumerate(raw) if c.isdigit()])
    match chance.choice(CHANGES):
        case "insert":
            raw = raw[:at] + chance.choice("0123456789") + raw[at:]
        case "drop":
            raw = raw[:at] + raw[at + 1 :]
        case "replace":
            raw = raw[:at] + chance.choice("0123456789") + raw[at + 1 :]
        case "prefix":
            raw = chance.choice(["0", "00", "1", "8", "+", "011", "(0)", "++", "+0"]) + raw
        case "punctuation":
            raw = raw[:at] + chance.choice("-./() \u00a0") + raw[at:]
        case "abroad":
            raw = formatted(number, PhoneNumberFormat.INTERNATIONAL)
            sharing = plans.region_codes_for_country_code(code)
            region = chance.choice(sharing if len(sharing) > 1 else REGIONS)
        case "code":
            raw = f"{code}{national}"
        case "twice":
            raw = f"+{code}{code}{national}"
        case "zero":
            raw = f"+{code}(0){national}"
    return raw, region


def cases() -> Iterator[tuple[str, str]]:
    """Numbers as they are typed, and the country given with them, if any."""
    for region in REGIONS:
        of_country = list(examples(PhoneMetadata.metadata_for_region(region)))
        numbers = [plans.parse(example, region) for example in of_country]
        for number in numbers[:2]:
            yield formatted(number, PhoneNumberFormat.NATIONAL), region
        yield formatted(chance.choice(numbers), PhoneNumberFormat.INTERNATIONAL), ""
        for _ in range(CHANGED_A_COUNTRY):
            number = chance.choice(numbers)
            raw = formatted(number, chance.randrange(3))
            raw, given = changed(raw, number, region)
            yield raw, "" if raw.startswith("+") and chance.random() < 0.3 else given
    for code in sorted(plans.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        for example in examples(PhoneMetadata.metadata_for_nongeo_region(code)):
            yield f"+{code} {example}", ""
            yield f"+{code} {example[:-1]}", ""


def answer(raw: str, region: str) -> tuple[str, str]:
    """E.164 and the national format, or nothing for what is no number of the country."""
    try:
        number = plans.parse(raw, region or None)
    except plans.NumberParseException:
        return "", ""
    if region:
        valid = plans.is_valid_number_for_region(number, region)
    else:
        valid = plans.is_valid_number(number)
    if not valid:
        return "", ""
    return formatted(number, PhoneNumberFormat.E164), formatted(number, PhoneNumberFormat.NATIONAL)


if __name__ == "__main__":
    # What has letters or an extension is no phone to the core, whatever the plans say.
    unique = dict.fromkeys(case for case in cases() if TYPED.issuperset(case[0]))
    lines = ["\t".join((*case, *answer(*case))) for case in unique]
    Path(__file__).with_name("phones.tsv").write_text("\n".join(lines) + "\n")
