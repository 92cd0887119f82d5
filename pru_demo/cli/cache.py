"""``python -m pru_demo cache``: what the result store holds, whether it is whole; removing."""

import argparse
import json
import time
from dataclasses import asdict

from tabulate import tabulate

from pru_demo.cli.options import Commands
from pru_demo.paths import RECORDS
from pru_demo.store import Store, default_store_directory, upkeep
from pru_demo.store.bundle import Bundle

_LOCAL, _UTC = "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ"


def add_cache_command(commands: Commands) -> None:
    """Add ``cache list``, ``verify``, ``prune`` and ``clear``."""
    cache = commands.add_parser("cache", help="look into, check or shrink the result store")
    actions = cache.add_subparsers(required=True, metavar="action")

    listing = actions.add_parser("list", help="what is stored, by kind, and when it was last used")
    listing.add_argument("--json", action="store_true", help="as JSON on standard output")
    listing.set_defaults(command=_list)

    verifying = actions.add_parser("verify", help="read all of it and compare the checksums")
    verifying.add_argument(
        "--repair", action="store_true", help="remove what is damaged; it will be computed again"
    )
    verifying.set_defaults(command=_verify)

    pruning = actions.add_parser(
        "prune", help="remove stale partial results, old versions, what was not used for longest"
    )
    pruning.add_argument(
        "--to-mb",
        type=float,
        metavar="N",
        help="megabytes to keep (default: PRU_STORE_GB, or 2 GB)",
    )
    pruning.set_defaults(command=_prune)

    clearing = actions.add_parser("clear", help="remove everything but the bundled records")
    clearing.add_argument("--yes", action="store_true", help="really do it")
    clearing.set_defaults(command=_clear)


def _list(options: argparse.Namespace) -> None:
    (store, bundle), limit = _layers(), upkeep.size_limit()
    with store.refusing("cannot be listed"):
        kinds, volume = upkeep.kinds(store.cache.index.rows()), store.cache.index.volume()
    bundled, size = len(bundle.keys()), bundle.size()
    if options.json:
        content = {
            "directory": str(store.directory),
            "bytes": volume,
            "limit_bytes": limit,
            "kinds": [
                asdict(each)
                | {
                    "oldest_use": time.strftime(_UTC, time.gmtime(each.oldest_use)),
                    "newest_use": time.strftime(_UTC, time.gmtime(each.newest_use)),
                }
                for each in kinds
            ],
            "bundled": {"entries": bundled, "bytes": size},
        }
        print(json.dumps(content, indent=1))
        return
    rows = [
        [
            each.kind,
            each.entries,
            _mb(each.bytes),
            time.strftime(_LOCAL, time.localtime(each.oldest_use)),
            time.strftime(_LOCAL, time.localtime(each.newest_use)),
        ]
        for each in kinds
    ]
    rows.append(["bundled (read-only)", bundled, _mb(size), "", ""])
    headers = ["kind", "entries", "size", "oldest last use", "newest last use"]
    print(tabulate(rows, headers, colalign=("left", "right", "right", "left", "left")))
    print(f"The store in {store.directory} takes {_mb(volume)} of {_mb(limit)}.")


def _verify(options: argparse.Namespace) -> None:
    (store, bundle), left = _layers(), 0
    with store.refusing("cannot be verified"):
        if reason := store.cache.index.damage():
            raise ValueError(
                f"The index of the result store is damaged ({reason}). Delete the folder "
                f"{store.directory} to start afresh; bundled records are not in it."
            )
        rows = store.cache.index.rows()
        for row in rows:
            if reason := store.cache.damage(row, remove=options.repair):
                left += not options.repair
                repaired = "; removed, it will be computed again" if options.repair else ""
                print(f"{row.key or 'An entry not of this program'}: {reason}{repaired}")
        orphans = store.cache.orphans()
    for key in bundle.keys():  # noqa: SIM118  # a method, not a dict
        bundle.get(key)
    bundled = bundle.damaged()
    for sentence in bundled:
        print(sentence)
    print(
        f"Read {_count(len(rows), 'stored entry', 'stored entries')} and "
        f"{_count(len(bundle.keys()), 'bundled record', 'bundled records')}."
    )
    if orphans:  # opening the store would have removed them if nobody else had it open
        print(
            f"{_count(len(orphans), 'file', 'files')} ({_mb(sum(size for _, size in orphans))}) "
            "without an entry: another program that has the store open may be writing them. "
            "What was left by a killed one goes when the store is opened by one program alone."
        )
    if left:
        raise ValueError(
            f"{_count(left, 'stored entry is', 'stored entries are')} damaged. "
            "Remove what is damaged with: python -m pru_demo cache verify --repair"
        )
    if bundled:
        raise ValueError(f"{_count(len(bundled), 'bundled file is', 'bundled files are')} damaged.")
    print("Nothing is damaged.")


def _prune(options: argparse.Namespace) -> None:
    limit = upkeep.size_limit() if options.to_mb is None else options.to_mb * 1e6
    if not 0 <= limit < float("inf"):
        raise ValueError("--to-mb takes a number of megabytes from 0.")
    store, _ = _layers()
    with store.refusing("cannot be pruned"):
        removed = upkeep.prune(store.cache, int(limit))
        volume = store.cache.index.volume()
    freed = _mb(sum(row.size for row in removed))
    print(f"Removed {_count(len(removed), 'entry', 'entries')}: {freed}.")
    print(f"The store in {store.directory} takes {_mb(volume)}.")
    if volume > limit:
        print("What is left was used in the last 12 hours, or is the index, and stays.")


def _clear(options: argparse.Namespace) -> None:
    store, _ = _layers()
    with store.refusing("cannot be cleared"):
        rows = store.cache.index.rows()
        what = f"{_count(len(rows), 'entry', 'entries')} ({_mb(sum(row.size for row in rows))})"
        if not options.yes:
            raise ValueError(
                f"This would remove {what} from {store.directory}, also what is in use. "
                "If you mean it: python -m pru_demo cache clear --yes"
            )
        store.cache.clear()
    print(f"Removed {what} from {store.directory}. Bundled records stay.")


def _layers() -> tuple[Store, Bundle]:
    # Not open_store: its temporary replacement is not what is asked about.
    return Store(default_store_directory()), Bundle(RECORDS)


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
