"""The settings of a platform."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypedDict

__all__ = ["LegacyVerifier", "Settings"]


class LegacyVerifier(Protocol):
    """Checks passwords against hashes of a scheme that the host used before.

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
        """Whether the password is right for the hash. If this raises an exception, the sign-in
        is refused like any other, but not counted as a failure, and `sys.unraisablehook` gets
        the exception. It may not sign in or set a password on the same platform: those calls
        raise ConfigurationError here.
        """
        ...


class Settings(TypedDict, total=False):
    """The settings of `Platform.open`. All are optional; None means the default."""

    login_base: str | None
    """The domain under which login domains live: with `partner.example.com` a reseller's
    customers sign in at `https://acme.partner.example.com`. The default is `partner.localhost`.
    """
    login_domains: Literal["letters", "dns"] | None
    """Which login domains are allowed: letters only (the default), or DNS labels."""
    reserve: Sequence[str] | None
    """Reserved labels, in addition to the built-in ones."""
    reserve_only: Sequence[str] | None
    """Reserved labels, instead of the built-in ones."""
    quarantine: int | Literal["immediately", "never"] | None
    """For how many days nobody else can take a label that was released; by default 30."""
    second_factor: bool | None
    """Whether the host uses a second factor: if so, passwords have 8 characters or more,
    otherwise 15.
    """
    hashing: tuple[int, int] | None
    """How many passwords are hashed at once, each of which takes 20 MiB and a core, and how
    many calls may wait before the next one is a BusyError. By default, as many are hashed at
    once as there are cores, at most 64, and 50 calls may wait for each, at most 200.
    """
    hashing_cost: tuple[int, int, int] | None
    """What a hash costs: KiB of memory, passes and lanes of Argon2id. The default, (19456, 2,
    1), is also the minimum. Cheaper hashes are replaced when their reseller signs in.
    """
    peppers: Mapping[int, bytes] | None
    """Keys that go into password hashes, by number, of 16 bytes or more each. New hashes use
    the one with the highest number. Without its key a hash can no longer be verified.
    """
    legacy_verifier: LegacyVerifier | None
    """Checks hashes of an old scheme; each is replaced when its reseller signs in."""
    sign_in_limit: int | None
    """After how many failed sign-ins in a row all further ones of an account are refused, until
    `Agency.unlock` or a new password; by default 100.
    """
    sign_in_delay_from: int | None
    """From which failed sign-in in a row on the next one is delayed, by a second up to 15
    minutes; by default 10.
    """
    source_limit: tuple[int, timedelta] | None
    """The rate limit on failed sign-ins from one `source`: how many may fail at once, and the
    time until one more may; by default 50 and 10 seconds.
    """
    secrets: Mapping[int, bytes] | None
    """Secrets of the host, by number, of 32 bytes each, for reset tokens, cursors and keyed
    hashes. By default the platform makes one and keeps it in the store, which is enough for
    most hosts. To replace a secret, give both: the one with the highest number makes new
    hashes, and all of them verify.
    """
    keep_idempotency_keys: timedelta | None
    """How long an idempotency key is kept; by default 24 hours."""
    keep_changes: timedelta | None
    """How long entries of the change feed are kept; by default for ever."""
    usage_lateness: timedelta | None
    """How long after its time an event may be recorded, from an hour to 3,650 days; by default
    35 days. Events are kept five days longer. Every process sets the same.
    """
    clock: Callable[[], datetime] | None
    """A function that returns the time as an aware datetime, for tests."""
