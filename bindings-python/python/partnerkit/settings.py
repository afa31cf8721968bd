"""What a platform can be told when it is opened."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypedDict

__all__ = ["LegacyVerifier", "Settings"]


class LegacyVerifier(Protocol):
    """Checks passwords against hashes of a scheme that the host has had before.

    ```python
    import hashlib

    class Sha1:
        def recognises(self, hash):
            return hash.startswith("sha1:")

        def verify(self, password, hash):
            return hash == "sha1:" + hashlib.sha1(password.encode()).hexdigest()

    platform = partnerkit.Platform.open("memory:", legacy_verifier=Sha1())
    agency = platform.create_agency("northwind")
    old = "sha1:" + hashlib.sha1(b"an old password").hexdigest()
    agency.create_reseller(**{**form, "invite": False, "password_hash": old})
    access = platform.sign_in("globex", "owner@globex.example", "an old password")
    assert access.reseller.name == "Globex"
    ```
    """

    def recognises(self, hash: str, /) -> bool:
        """Whether a text is a hash of the scheme."""
        ...

    def verify(self, password: str, hash: str, /) -> bool:
        """Whether the password is the hash's. Where it raises, the sign-in is refused like any
        other, but not counted as a failure, and `sys.unraisablehook` has the exception.
        """
        ...


class Settings(TypedDict, total=False):
    """The settings of `Platform.open`, all optional; None is the same as leaving one out."""

    login_base: str | None
    """The domain under which login domains live: with `partner.example.com` a reseller's
    customers sign in at `https://acme.partner.example.com`. Otherwise `partner.localhost`.
    """
    login_domains: Literal["letters", "dns"] | None
    """What a login domain may be: letters only (the default), or a DNS label."""
    reserve: Sequence[str] | None
    """Labels that nobody can have, beside the built-in ones."""
    reserve_only: Sequence[str] | None
    """The same in place of the built-in ones."""
    quarantine: int | Literal["immediately", "never"] | None
    """For how many days nobody else can have a label that was given up: 30 unless given."""
    second_factor: bool | None
    """That the host asks for a second factor: then passwords have 8 characters or more,
    otherwise 15.
    """
    hashing: tuple[int, int] | None
    """How many passwords are hashed at once, 20 MiB and a core each, and how many calls wait
    for that before the next one is a BusyError. Otherwise as many as there are cores, and
    50 for each, at most 64 and 200.
    """
    hashing_cost: tuple[int, int, int] | None
    """What a hash costs: KiB of memory, passes and lanes of Argon2id. Otherwise (19456, 2, 1),
    which is also the least. Cheaper hashes are made anew when their reseller signs in.
    """
    peppers: Mapping[int, bytes] | None
    """Keys that go into password hashes, by number: 16 bytes or more each. That of the highest
    number is for new hashes. Without its key a hash cannot be verified any more.
    """
    legacy_verifier: LegacyVerifier | None
    """Checks hashes of an old scheme; each is made anew when its reseller signs in."""
    sign_in_limit: int | None
    """After how many failed sign-ins in a row an account's are refused, until `Agency.unlock`,
    a new password or a reset: 100 unless given.
    """
    sign_in_delay_from: int | None
    """From which failed sign-in in a row on there is a delay before the next one, from a
    second up to 15 minutes: 10 unless given.
    """
    source_limit: tuple[int, timedelta] | None
    """How many sign-ins from one `source` may fail at once, and how long it takes until one
    more may: (50, 10 seconds) unless given.
    """
    secrets: Mapping[int, bytes] | None
    """Secrets of the host's, 32 bytes each, by number, for reset tokens, cursors and keyed
    hashes. Otherwise the platform makes one and keeps it in the store, which is enough for
    most. That of the highest number makes and all of them verify: so one is replaced.
    """
    keep_idempotency_keys: timedelta | None
    """How long an idempotency key is remembered: 24 hours unless given."""
    keep_changes: timedelta | None
    """How long entries of the change feed are kept: for ever unless given."""
    clock: Callable[[], datetime] | None
    """What time it is, for tests: a function that gives an aware datetime."""
