"""Results that an older version has stored move to today's keys and format; nothing is recomputed.

Until schema 2 a key hashed the *names* of variant and preset. Each record says which parameters it
was made with, so it and all that belongs to it can be put where today's keys look. What is new is
written before what is old is removed: a migration that was interrupted is done again.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pru_demo.config import RunConfig
from pru_demo.experiment import keys
from pru_demo.experiment.checkpoint import Checkpoint, beginning_with
from pru_demo.experiment.maps import KINDS as MAP_KINDS
from pru_demo.experiment.maps import LIVE
from pru_demo.experiment.record import RunRecord, RunResult, Snapshot
from pru_demo.methods import METHODS
from pru_demo.parameters import as_json
from pru_demo.paths import RECORDS
from pru_demo.store import Entry, Store, open_store
from pru_demo.store.bundle import Bundle
from pru_demo.store.entry import canonical_json
from pru_demo.store.old_layout import old_entries, remove_old

# Today's key of an old entry, and what makes its content today's.
Place = tuple[str, Callable[[Entry], Entry]]

_LOCK = "migration.lock"
# What reading a header raises that is not of a run, or a checkpoint, as this installation knows it.
_STRANGE = (LookupError, TypeError, ValueError, AttributeError)
# What pages show of the measures: see ``experiment.inside``.
_SHOWN = ("forget_set", "layers")

_log = logging.getLogger(__name__)


def open_results() -> Store:
    """The store of this machine above the bundled records, with what older versions have left."""
    store = open_store(RECORDS)
    try:
        migrate(store.directory, RECORDS)
    except OSError as error:  # no room, say: what is old is still there the next time
        _log.warning("Older results in %s are not all moved: %s", store.directory, error)
    return store


def migrate(directory: Path, bundled: Path) -> None:
    """Move old entries in ``directory``, of runs there and of ``bundled`` ones, to today's keys.

    One process does it while the others wait. What is there under its new key stays as it is. What
    belongs to no run has no key that anybody could ask for, and is removed; runs that are not known
    today are kept, as their method or preset may be back tomorrow. Raises OSError.
    """
    if next(old_entries(directory), None) is None:
        return
    with _alone(directory):
        places, kept = dict[str, list[Place]](), set[str]()
        for meta in _headers(directory, bundled):
            try:
                places |= _places(meta)
            except _STRANGE as error:
                _log.warning("A stored run of an older version is not known here: %r", error)
                with contextlib.suppress(*_STRANGE):
                    kept |= set(_old_keys(meta["config"]).values())
        store, moved, seen = Store(directory), 0, list[str]()
        for key, entry in old_entries(directory):
            seen.append(key)
            moved += sum(_put(store, place, entry) for place in places.get(key, [])) > 0
        store.close()
        # Without any of them the old index goes, too, and whatever is damaged.
        remove_old(directory, [key for key in seen if key not in kept] if kept else None)
        message = "%d of %d results that an older version has left in %s were moved to today's keys"
        _log.warning(message, moved, len(seen), directory)


def _put(store: Store, place: Place, entry: Entry) -> bool:
    """Put an old entry in its place, if that is free; False if it is no such thing."""
    key, convert = place
    try:
        if store.meta(key) is None:
            new = convert(entry)
            store.put(key, new.meta, new.arrays)
    except _STRANGE as error:
        _log.warning("What an older version has left for %s cannot be moved: %r", key, error)
        return False
    return True


@dataclass(frozen=True)
class RunAsItWas(RunConfig):
    """A run with the parameters it had, whatever its variant has by now: for today's keys."""

    params: Mapping[str, Any]

    def identity(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """See ``RunConfig.identity``; with its own parameters if no others are given."""
        return super().identity(self.params if params is None else params)


def run_as_it_was(meta: Mapping[str, Any]) -> RunAsItWas:
    """The run of a stored record's header.

    Raises LookupError, TypeError, ValueError or AttributeError if there is no such run any more.
    """
    config = RunConfig.from_content(meta["config"])
    scenario, method = config.scenario, METHODS[config.pick.method]
    variants = method.values.of(scenario.dataset, scenario.model, scenario.given)
    of_method = type(next(iter(variants.values())).params)
    # A record may be older than some parameters, which then had their default.
    return RunAsItWas(scenario, config.pick, as_json(of_method(**meta["params"])))


def measures_shown(entry: Entry) -> Entry:
    """What pages show of measures that were one entry."""
    # One that was withdrawn says only that.
    shown = {name: entry.meta[name] for name in _SHOWN if name in entry.meta}
    return Entry(shown or entry.meta)


def measures_for_files(entry: Entry) -> Entry:
    """All the rest."""
    return Entry({name: each for name, each in entry.meta.items() if name not in _SHOWN})


def todays_checkpoint(entry: Entry, record: Mapping[str, Any]) -> Entry:
    """A checkpoint that was of its own kind, and not a record so far.

    ``record`` is the header of the record that the run has come to.
    """
    meta, arrays, made_for = entry.meta, entry.arrays, entry.meta["made_for"]
    so_far = RunRecord(
        config=RunConfig.from_content(record["config"]),
        params=record["params"],
        origin=record["origin"],
        snapshots=(),
        batch_norm_only=None,
        failure=None,
        seconds=meta["seconds"],
        sizes={name: made_for[name] for name in ("forget", "relearn", "test")},
        forward_equivalents=meta["cost"],
        made_with={},
        arrays={name: arrays[name] for name in ("shown", "labels")},
    )
    seen = zip(
        meta["recorded"]["snapshots"], arrays["confusion"], arrays["probabilities"], strict=True
    )
    for snapshot, confusion, probabilities in seen:
        so_far = so_far.with_snapshot(Snapshot(**snapshot), confusion, probabilities)
    features = {"features": arrays["features"]}
    if "control/probabilities" in arrays:
        features["control"] = arrays["control/features"]
        control = record["batch_norm_only"]
        so_far = so_far.with_control(
            (control["A_f"], control["A_r"]), arrays["control/probabilities"]
        )
    weights, state = (beginning_with(prefix, arrays) for prefix in ("weights/", "state/"))
    result = RunResult(so_far, features, weights)
    return Checkpoint(meta["stage"], meta["epoch"], state, result).to_entry()


def _headers(directory: Path, bundled: Path) -> Iterator[Mapping[str, Any]]:
    """Those of the records of all runs that something may belong to; stored ones count more."""
    bundle = Bundle(bundled)
    yield from (bundle.meta(k) or {} for k in bundle.keys() if k.startswith(keys.RUN_PREFIX))  # noqa: SIM118
    yield from (entry.meta for _, entry in old_entries(directory, "v2:run:"))


def _places(meta: Mapping[str, Any]) -> dict[str, list[Place]]:
    """Where all that may be stored of a run goes, by its old key; ``meta`` is its record's header.

    Raises as :func:`run_as_it_was` does.
    """
    run, old = run_as_it_was(meta), _old_keys(meta["config"])
    as_it_is = {
        "run": keys.run_key(run),
        "weights": keys.weights_key(run),
        "features": keys.features_key(run),
        "perceived": keys.perceived_key(run),
        "classic": keys.classic_key(run),
        **{f"placed {kind}": keys.placed_key(run, kind) for kind in MAP_KINDS},
        **{f"map {kind}": keys.map_key(run, kind) for kind in (*MAP_KINDS, LIVE)},
    }
    checkpoints = {"partial": keys.partial_key(run), "unlearned": keys.unlearned_key(run)}
    return {
        **{old[name]: [(key, lambda entry: entry)] for name, key in as_it_is.items()},
        **{
            old[name]: [(key, lambda entry: todays_checkpoint(entry, meta))]
            for name, key in checkpoints.items()
        },
        old["measures"]: [
            (keys.inside_key(run), measures_shown),
            (keys.measures_key(run), measures_for_files),
        ],
    }


def _old_keys(content: Mapping[str, Any]) -> dict[str, str]:
    """The keys that schema 2 had for all that is stored of a run of this ``content``."""
    scenario = {name: v for name, v in content.items() if name not in ("method", "variant")}
    owner = content if content["method"] == "retrain" else scenario
    # Measures of images that the original was not trained on had been of another attack before.
    members = {} if content.get("given", "D_f") == "D_f" else {"members": "D_f"}
    same = ("run", "weights", "features", "perceived", "classic", "partial")
    contents: dict[str, Mapping[str, Any]] = {
        **dict.fromkeys(same, content),
        "unlearned": {name: v for name, v in content.items() if name != "relearn_epochs"},
        "measures": {**content, **members},
        **{f"placed {kind}": {**content, "kind": kind} for kind in MAP_KINDS},
        **{f"map {kind}": {**owner, "kind": kind} for kind in (*MAP_KINDS, LIVE)},
    }
    digests = {
        name: hashlib.sha256(canonical_json(each).encode()).hexdigest()
        for name, each in contents.items()
    }
    return {name: f"v2:{name.partition(' ')[0]}:{digest}" for name, digest in digests.items()}


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Waits until no other process does the same; the kernel takes the lock from one that dies."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    with os.fdopen(os.open(directory / _LOCK, flags, 0o600), "r+") as file:
        # Without such locks two may do the same work, with the same result.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
