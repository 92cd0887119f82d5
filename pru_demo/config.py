"""What is computed and shown: a scenario, and the methods that are compared on it.

:class:`Scenario` is the table of its fields. Links, the command line, the scenario bar and the keys
of the store loop over it: a new field is one entry there, read and checked by its kind.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from pru_demo.data import DATASETS
from pru_demo.fields import Classes, ContentHash, Field, Number, OneOf, entry
from pru_demo.knobs import (
    Value,
    as_value,
    words_of,
    written,
)
from pru_demo.methods import METHODS
from pru_demo.models import MODELS, ModelSpec
from pru_demo.parameters import Params, TrainingParams, as_json, rehearses
from pru_demo.settings import (
    GIVEN,
    PRESETS,
    RELEARNING,
    Preset,
    Setting,
    Variants,
    original_setting,
)

SMALLEST_BATCH = 8


def _described(registry: Mapping[str, Preset] | Mapping[str, ModelSpec]) -> str:
    return " · ".join(f"**{each.label}**: {each.description}" for each in registry.values())


@dataclass(frozen=True)
class Scenario:
    """What the runs on one page share, and all that can be asked of it.

    ``given`` is the data that a method may forget with: D_f, on which the original was trained, or
    D_f_new, images it has never seen. ``forget_samples`` lowers the preset's limit on how many.
    ``original`` is the content hash of a network of one's own, "" for the trial's. ``max_batch`` is
    an upper limit to all batches.
    """

    dataset: str = entry("mnist", OneOf(DATASETS), "Data set", always=True)
    model: str = entry(
        "allcnn-small", OneOf(MODELS), "Network", help=_described(MODELS), always=True
    )
    forget: tuple[int, ...] = entry(
        (9,),
        Classes(),
        "Forget the class",
        help="The class whose training images the network is asked to forget.",
        always=True,
    )
    preset: str = entry(
        "classroom",
        OneOf(PRESETS, in_a_row=True),
        "Amount of work",
        help=_described(PRESETS),
        always=True,
    )
    seed: int = entry(
        7,
        Number(0, 9999),
        "Seed",
        help="Decides the split of the data, the original network and the order of all batches. "
        "The network of any seed but 7 is trained first, which takes minutes.",
        always=True,
    )
    given: str = entry(
        "D_f",
        OneOf(GIVEN, in_a_row=True),
        "Forget with",
        help="**D_f**: the images from which the network learned the class. **D_f_new**: images "
        "of the class that it has never seen.",
    )
    forget_samples: int | None = entry(
        None,
        Number(2, 100_000),
        "At most this many images to forget with",
        placeholder="as many as the amount of work allows",
    )
    original: str = entry("", ContentHash())
    relearn_epochs: int = entry(
        RELEARNING.epochs,
        Number(1, 50, step=10),
        "Epochs of relearning",
        help="Ten are published. More do not unlearn again: they go on from the same network.",
    )
    max_batch: int | None = entry(
        None,
        Number(SMALLEST_BATCH, 4096, step=8),
        "Batches of at most this many images",
        help="For a device short of memory. Smaller batches make it another run than published.",
        placeholder="as each method has it",
    )

    @property
    def most_to_forget(self) -> int | None:
        """The limit on how many images a method is given to forget with, None without one."""
        limits = (PRESETS[self.preset].forget_samples, self.forget_samples)
        return min((n for n in limits if n is not None), default=None)

    def content(self) -> dict[str, Any]:
        """As JSON, what was asked for, by name; fields that came later only if they were."""
        content = {
            name: getattr(self, name)
            for name, each in FIELDS.items()
            if each.always or getattr(self, name) != each.default
        }
        return {**content, "forget": list(self.forget)}

    def identity(self) -> dict[str, Any]:
        """As JSON, the resolved values on which every run of this scenario depends.

        The preset is there by what it limits, not by name. Raises KeyError for one that does not
        exist.
        """
        preset = PRESETS[self.preset]
        by_effect = ("preset", "relearn_epochs", "max_batch")
        return {
            **{name: value for name, value in self.content().items() if name not in by_effect},
            "given": self.given,
            "original": self.original,
            "forget_samples": self.most_to_forget,
            "relearn_samples": preset.relearn_samples,
            "whole_test_part": preset.whole_test_part,
            "relearning": _canonical(asdict(relearning_of(self))),
        }


# The table, in the order of a link.
FIELDS = {each.name: Field(each.default, **each.metadata) for each in fields(Scenario)}


@dataclass(frozen=True)
class Pick:
    """One method in one of its variants, or turned by hand from there.

    ``changes`` are the parameters that are not the variant's, by name and sorted.
    """

    method: str
    variant: str
    changes: tuple[tuple[str, Value], ...] = ()

    @property
    def version(self) -> str:
        """``tuned``, or ``tuned+lambda_s=0.3`` where something was turned."""
        return "+".join([self.variant, *(f"{name}={written(v)}" for name, v in self.changes)])

    def __str__(self) -> str:
        """``pru:tuned``, as the command line writes it; also links, where nothing was turned."""
        return f"{self.method}:{self.version}"

    @property
    def stem(self) -> str:
        """``pru-tuned``: in names of files, and of whatever else must be told apart."""
        return f"{self.method}-{self.version}"

    @classmethod
    def parse(cls, text: str) -> "Pick":
        """The inverse of ``str``; whether there is such a method, variant or parameter, and what
        it may be, is not checked."""
        method, _, version = text.partition(":")
        variant, *turned = version.split("+")
        changes = {name: as_value(v) for name, _, v in (each.partition("=") for each in turned)}
        return cls(method, variant, tuple(sorted(changes.items())))

    @property
    def plain(self) -> "Pick":
        """The variant from which this was turned."""
        return Pick(self.method, self.variant)


@dataclass(frozen=True)
class RunConfig:
    """One method on one scenario."""

    scenario: Scenario
    pick: Pick

    def with_seed(self, seed: int) -> "RunConfig":
        """The same run with another seed."""
        return replace(self, scenario=replace(self.scenario, seed=seed))

    def content(self) -> dict[str, Any]:
        """As JSON, what was asked for, by name: for records, and for those who compute it."""
        pick = {"method": self.pick.method, "variant": self.pick.variant}
        changes = {"changes": dict(self.pick.changes)} if self.pick.changes else {}
        return {**self.scenario.content(), **pick, **changes}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "RunConfig":
        """The inverse of :meth:`content`."""
        values = dict(content)
        changes = tuple(sorted(values.pop("changes", {}).items()))
        pick = Pick(values.pop("method"), values.pop("variant"), changes)
        return cls(Scenario(**{**values, "forget": tuple(values["forget"])}), pick)

    def identity(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As JSON, all on which the result depends: equal identities are equal runs.

        ``params`` are the resolved parameters, as a record names them; without them those that the
        variant has now. Raises KeyError where the variant or the preset does not exist.
        """
        resolved = as_json(setting_of(self).params) if params is None else params
        return {
            **self.scenario.identity(),
            "method": self.pick.method,
            "params": _canonical(resolved),
        }


def _canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with whole floats as integers: 1 and 1.0 are equal, but not as JSON."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in values.items()
    }


def variants_of(method: str, scenario: Scenario) -> tuple[str, ...]:
    """The variants of ``method`` for which there are parameters on this data and network."""
    return tuple(settings_of(method, scenario))


def settings_of(method: str, scenario: Scenario) -> Variants:
    """Every variant of ``method`` for this data and network, as in its source: without limits."""
    return METHODS[method].values.of(scenario.dataset, scenario.model, scenario.given)


def runs_of(scenario: Scenario, *others: Pick) -> list[RunConfig]:
    """Every method in every variant on ``scenario``, whether or not it has been run.

    ``others``, as far as they are none of these but turned by hand, come last.
    """
    variants = [
        Pick(method, variant) for method in METHODS for variant in variants_of(method, scenario)
    ]
    return [RunConfig(scenario, pick) for pick in dict.fromkeys([*variants, *others])]


def setting_of(config: RunConfig) -> Setting:
    """Parameters of the picked variant, within the limits of preset and scenario, and what was
    turned by hand: that counts even beyond the preset's limit on epochs.

    Raises ValueError for a value out of bounds, AttributeError for a parameter that is not there.
    """
    setting, changes = _within_preset(config), dict(config.pick.changes)
    params: Any = setting.params
    origin = setting.origin
    if changes:
        said = [
            f"{words_of(name).symbol} = {written(value)} instead of "
            f"{written(getattr(params, name))}"
            for name, value in changes.items()
        ]
        origin = f"turned by hand: {', '.join(said)}; the rest: {origin}"
        params = replace(params, **changes)
    most = largest_batch(config.scenario, params)
    if most is not None and "batch_size" in as_json(params):
        params = replace(params, batch_size=min(params.batch_size, most))
    return Setting(params, origin)


def largest_batch(scenario: Scenario, params: Params) -> int | None:
    """How many images of D_f a batch may have, so that with those of a pool it has no more than
    ``scenario`` lets it; None: any number."""
    if scenario.max_batch is None or not rehearses(params):
        return scenario.max_batch
    return max(2, int(scenario.max_batch * (1 - params.rehearsal_share)))


def _within_preset(config: RunConfig) -> Setting:
    """Parameters of the picked variant, with no more epochs than the preset has."""
    preset = PRESETS[config.scenario.preset]
    setting = settings_of(config.pick.method, config.scenario)[config.pick.variant]
    most = preset.retrain_epochs if config.pick.method == "retrain" else preset.epochs
    params: Any = setting.params
    if most is None or "epochs" not in as_json(params):
        return setting
    return replace(setting, params=replace(params, epochs=min(params.epochs, most)))


def relearning_of(scenario: Scenario) -> TrainingParams:
    """How ``scenario`` relearns: with the weight decay of its original's training."""
    decay = original_setting(scenario.dataset, scenario.model).params.weight_decay
    batch_size = min(RELEARNING.batch_size, scenario.max_batch or RELEARNING.batch_size)
    return replace(
        RELEARNING, epochs=scenario.relearn_epochs, weight_decay=decay, batch_size=batch_size
    )


def planned_epochs(config: RunConfig) -> int:
    """For how many epochs the method of ``config`` unlearns; 0 for the original."""
    epochs: int = getattr(setting_of(config).params, "epochs", 0)
    return epochs
