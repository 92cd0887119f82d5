"""Every kind of thing that is stored of a run: its key, what is made from what, what ships.

Keys hash the resolved values that a result depends on, not the names of variant and preset: equal
parameters are one run, and a variant whose values change is another run from then on.

Record, networks and features are written together. What is computed from these later, when somebody
asks for it, is *derived*: it counts no longer once the run is computed anew. A map belongs to a
scenario, whose runs all share it; only a run with a feature space of its own has maps of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pru_demo.config import RunConfig
from pru_demo.experiment.attack import ATTACKS, USUAL, Attack
from pru_demo.experiment.maps import KINDS as MAP_KINDS
from pru_demo.store.entry import SCHEMA, content_key

# What the keys of all records begin with.
RUN_PREFIX = f"v{SCHEMA}:run:"


def has_own_space(config: RunConfig) -> bool:
    """Whether the run's features share no origin with the original's, so no map can hold both."""
    return config.pick.method == "retrain"


def _key(name: str, config: RunConfig, /, **more: Any) -> str:
    return content_key(name, {**config.identity(), **more})


run_key = partial(_key, "run")  # the record, see ``experiment.record``
weights_key = partial(_key, "weights")  # at KEPT_EPOCHS: arrays named ``epoch/parameter``
# Of the shown samples: ``features`` (T, n, d) and ``control`` (n, d), float16.
features_key = partial(_key, "features")
perceived_key = partial(_key, "perceived")  # what they say, see ``experiment.perceived``
inside_key = partial(_key, "inside")  # what pages show of the networks, see ``experiment.inside``
measures_key = partial(_key, "measures")  # what else can be measured, ``experiment.measures``
classic_key = partial(_key, "classic")  # umap-learn's pictures: arrays (n, 2) named by snapshot
# How far an unfinished run has come, see ``experiment.checkpoint``.
partial_key = partial(_key, "partial")


def attack_key(config: RunConfig, attack: Attack) -> str:
    """Store key of what an attack found in a run's network, see ``experiment.attacked``."""
    return _key("attack", config, attack=str(attack))


def placed_key(config: RunConfig, kind: str) -> str:
    """Store key of a run's places on a map of ``kind``, see ``experiment.maps``."""
    return _key("placed", config, kind=kind)


def map_key(config: RunConfig, kind: str) -> str:
    """Store key of the map that ``config`` is placed on: its scenario's, or one of its own."""
    if has_own_space(config):
        return _key("map", config, kind=kind)
    return content_key("map", {**config.scenario.identity(), "kind": kind})


def unlearned_key(config: RunConfig) -> str:
    """Store key of the state right after unlearning, which relearning has no part in."""
    identity = config.identity()
    del identity["relearning"]
    return content_key("unlearned", identity)


@dataclass(frozen=True)
class Kind:
    """One kind of thing that is stored of each run.

    ``ending`` is that of its file among the bundled records, "" if it does not ship.
    """

    key: Callable[[RunConfig], str]
    derived: bool = False
    ending: str = ""


# The record first: who deletes in this order never leaves one that has lost what belongs to it.
KINDS = (
    Kind(run_key, ending="run"),
    Kind(weights_key, ending="weights"),
    Kind(features_key),
    Kind(perceived_key, ending="perceived"),
    Kind(inside_key, derived=True, ending="inside"),
    Kind(measures_key, derived=True),
    Kind(classic_key, derived=True, ending="classic"),
    *(
        Kind(partial(placed_key, kind=kind), derived=True, ending=f"{kind}.placed")
        for kind in MAP_KINDS
    ),
    *(Kind(partial(attack_key, attack=attack), derived=True) for attack in ATTACKS),
    Kind(partial_key),
    Kind(unlearned_key),
)


def derived(config: RunConfig) -> list[str]:
    """Keys of all that was computed from a run's networks when somebody asked for it."""
    return [kind.key(config) for kind in KINDS if kind.derived] + _own_maps(config)


def everything(config: RunConfig) -> list[str]:
    """Keys of all that is stored of a run and of no other, its record's first."""
    return [kind.key(config) for kind in KINDS] + _own_maps(config)


def shipped(config: RunConfig) -> dict[str, str]:
    """The file name in the bundle of each thing that ships with a run, by its key.

    Attacks ship with the shorter preset only: the others take minutes each.
    """
    scenario, pick = config.scenario, config.pick
    classes = "-".join(map(str, scenario.forget))
    stem = f"{scenario.dataset}-{scenario.model}-{classes}-{scenario.preset}-seed{scenario.seed}"
    run, maps = f"{stem}-{pick.stem}", stem
    if has_own_space(config):
        maps += f"-{pick.method}"
    return {
        **{map_key(config, kind): f"{maps}.{kind}.map" for kind in MAP_KINDS},
        **{kind.key(config): f"{run}.{kind.ending}" for kind in KINDS if kind.ending},
        **{attack_key(config, attack): f"{run}.{attack}.attack" for attack in usual(config)},
    }


def usual(config: RunConfig) -> tuple[Attack, ...]:
    """The attacks that ship with a run."""
    return USUAL if config.scenario.preset == "classroom" else ()


def _own_maps(config: RunConfig) -> list[str]:
    return [map_key(config, kind) for kind in MAP_KINDS] if has_own_space(config) else []
