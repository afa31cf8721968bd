"""Deploy.

## Which store

| | `sqlite:FILE` | `postgres://…` |
|---|---|---|
| runs on | one machine, any number of processes | any number of machines |
| needs | a folder on a local disk that it may write to | PostgreSQL 15 or newer |
| backup | `platform.backup(path)` | `pg_dump`, or your server's own way |
| feature in Rust | `sqlite` | `postgres` |

A new SQLite file is readable by its owner only; to share it with a group, change its mode once.
Opening it makes the tables, in PostgreSQL in a schema `partnerkit`. There is no TLS to PostgreSQL
yet: the server is on this machine, or the URL says `sslmode=disable` on a network that you trust.
`memory:` is for tests. For the database of your application see `partnerkit.guides.own_storage`.

```python
import partnerkit

platform = partnerkit.Platform.open("sqlite:resellers.db")
agency = platform.ensure_agency("northwind")
```

**One SQLite in a process.** While a platform has a file open, nothing else in this process may write to
it with another copy of SQLite, such as Python's `sqlite3`, `node:sqlite` or `better-sqlite3`: the file
would be destroyed. Keep other tables in another file. In Rust there is only one copy (`rusqlite` 0.43,
whose `libsqlite3-sys` 0.40 builds SQLite in). Cargo refuses a second `libsqlite3-sys` beside it ("links
to the native library `sqlite3`"): two copies would have the same symbols, and would not see each
other's locks. So take a `rusqlite`, `sqlx` or `diesel` that goes with this version, or PostgreSQL, or
your own storage.

## Workers

Open the platform where your application is loaded; every process has its own connections. A worker that
is forked later (`gunicorn --preload`, `multiprocessing`) opens the store again at its first use. A
platform cannot be pickled: with `spawn` open it in the worker. A store in `memory:` does not cross a
fork: there it is an error of kind `Storage`. Node.js does not fork, but starts programs anew
(`cluster`, PM2); a worker thread opens a platform of its own. The Python package prepares each fork by
itself; a Rust program that has threads and forks calls `partnerkit::before_fork()` first.

```python
import multiprocessing


def work(results):
    results.put(platform.agencies())  # the platform of the module, opened before the fork


fork = multiprocessing.get_context("fork")
results = fork.SimpleQueue()
worker = fork.Process(target=work, args=[results])
worker.start()
worker.join()
assert results.get() == ["northwind"]
```

## A timer

Call `maintain` every few minutes, in one process or in several. It removes events that cannot arrive
again, idempotency keys and quarantines that are over, and what a deletion has left; at most 10,000
rows in one call.

```python
while not platform.maintain().finished:
    pass
```

## Backup

For SQLite there is `backup`, which may run while others write. The new file must not exist yet. It
holds all that the store holds, secrets included, and opens as a store of its own. To restore it, stop
every process, remove `FILE-wal` and `FILE-shm`, and put it in place of `FILE`. Peppers and secrets of
yours are not in it: keep them as long as the backup.

```python
platform.backup("resellers-2026-12-01.db")
```

## Logs

`log_calls()` once at the start makes each call a record of the logger `partnerkit`: operation, agency
and reseller ids, outcome, microseconds; never a name, an address or a secret. In JavaScript `logCalls`
takes the function that is told each call. In Rust the feature
`tracing` makes it a span.

```python
import logging

logging.basicConfig(level=logging.DEBUG)
partnerkit.log_calls()
agency.overview()  # DEBUG:partnerkit:operation=overview agency=northwind outcome=ok microseconds=75
```

## Secrets and peppers

| | `secrets` | `peppers` |
|---|---|---|
| for | reset tokens, cursors, counts of failed sign-ins | password hashes |
| without one of yours | made at the first opening, kept in the store | there is none |
| size | 32 bytes | 16 bytes or more |
| when lost | tokens and cursors end, counts begin anew | **each reseller needs a new password** |

Give yours by number. That of the highest number makes what is new, and all of them verify. To replace
one, add the next number and restart all processes together, because a process that does not know it
refuses what the others make. Remove an old secret after an hour, when its tokens have expired.
Remove an old pepper once everybody has signed in, because that hashes the password anew; a reseller
who has not signed in needs a reset then.

```python
def key(name):  # stands for your vault
    return bytes([name] * 32)


secrets, peppers = {1: key(1), 2: key(2)}, {1: key(3), 2: key(4)}  # the second is new
with partnerkit.Platform.open("memory:", secrets=secrets, peppers=peppers) as rotating:
    rotating.ensure_agency("northwind")
```

## Close, and upgrade

A store is closed with its last handle; `close()` (also the end of Python's `with`, or of JavaScript's
`await using`) closes it for every handle, and later calls fail with `Configuration`. It does not wait
for calls that have not reached the store yet, such as one that hashes a password: they fail, too. So a
server first stops taking requests, then waits until the open ones are answered, then closes.

A new release brings the tables up to date when it opens the store, once, however many processes
start. There is no way back: an older release refuses the store of a newer one, with an error of kind
`Configuration`. So stop the old processes, take a backup, and start the new ones. With Django it is
`manage.py migrate`.

```python
platform.close()
try:
    agency.overview()
except partnerkit.ConfigurationError as refused:
    assert str(refused) == "configuration: the platform is closed"
```

@generated by `cargo run -p partnerkit-generate` from `core/docs/guides`; do not edit.
"""
