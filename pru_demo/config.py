"""What is computed and shown: the scenario, the methods to compare, and how much work to do.

Everything here is plain data, comes from and goes to a URL, and refuses nothing: a bad value is
replaced and the visitor told so.

Which parameters a run has, and how many epochs that makes. No torch: pages ask too.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from pru_demo.data import DATASETS
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.parameters import NoParams, TrainingParams, as_json
from pru_demo.settings import EPOCHS, GIVEN, PRESETS, SETTINGS, Setting, original_setting

MAX_SEED = 9999
MAX_FORGET_SAMPLES = 100_000
MAX_RELEARN_EPOCHS = 50
SMALLEST_BATCH, LARGEST_BATCH = 8, 4096


@dataclass(frozen=True)
class Scenario:
    """What the runs on one page share.

    ``given`` is the data that a method may forget with: D_f, on which the original was trained, or
    D_f_new, images it has never seen. ``forget_samples`` lowers the preset's limit on how many.
    ``original`` is the content hash of a network of one's own, "" for the trial's. ``max_batch`` is
    an upper limit to all batches, for a device short of memory.
    """

    dataset: str = "mnist"
    model: str = "allcnn-small"
    forget: tuple[int, ...] = (9,)
    preset: str = "classroom"
    seed: int = 7
    given: str = "D_f"
    forget_samples: int | None = None
    original: str = ""
    relearn_epochs: int = EPOCHS
    max_batch: int | None = None

    def content(self) -> dict[str, Any]:
        """As JSON, the content from which store keys are hashed.

        Fields that came later are left out at their default, so that older results keep their keys.
        """
        later = {
            each.name
            for each in fields(self)
            if each.name in _LATER and getattr(self, each.name) == each.default
        }
        content = {name: value for name, value in asdict(self).items() if name not in later}
        return {**content, "forget": list(self.forget)}

    def identity(self) -> dict[str, Any]:
        """As JSON, the resolved values on which every run of this scenario depends.

        The preset is there by what it limits, not by name. Raises KeyError for one that does not
        exist.
        """
        preset = PRESETS[self.preset]
        limits = (preset.forget_samples, self.forget_samples)
        return {
            "dataset": self.dataset,
            "model": self.model,
            "seed": self.seed,
            "forget": list(self.forget),
            "given": self.given,
            "original": self.original,
            "forget_samples": min((n for n in limits if n is not None), default=None),
            "relearn_samples": preset.relearn_samples,
            "whole_test_part": preset.whole_test_part,
            "relearning": _canonical(asdict(relearning_of(self))),
        }


_LATER = ("given", "forget_samples", "original", "relearn_epochs", "max_batch")


@dataclass(frozen=True)
class Pick:
    """One method in one of its variants."""

    method: str
    variant: str

    def __str__(self) -> str:
        """``pru:tuned``, as links and the command line write it."""
        return f"{self.method}:{self.variant}"

    @classmethod
    def parse(cls, text: str) -> "Pick":
        """The inverse of ``str``; whether there is such a method and variant is not checked."""
        method, _, variant = text.partition(":")
        return cls(method, variant)


@dataclass(frozen=True)
class RunConfig:
    """One method on one scenario: everything its result depends on."""

    scenario: Scenario
    pick: Pick

    def content(self) -> dict[str, Any]:
        """As JSON, the content from which store keys are hashed."""
        return {**self.scenario.content(), **asdict(self.pick)}

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

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "RunConfig":
        """The inverse of :meth:`content`."""
        values = dict(content)
        pick = Pick(values.pop("method"), values.pop("variant"))
        return cls(Scenario(**{**values, "forget": tuple(values["forget"])}), pick)


@dataclass(frozen=True)
class View:
    """What a visitor looks at: a scenario and two methods side by side."""

    scenario: Scenario = field(default_factory=Scenario)
    a: Pick = Pick("pru", "tuned")
    b: Pick = Pick("boundary_shrink", "tuned")

    def runs(self) -> dict[str, RunConfig]:
        """The configurations of A and B."""
        return {"A": RunConfig(self.scenario, self.a), "B": RunConfig(self.scenario, self.b)}

    def query(self) -> dict[str, str]:
        """The whole state as query parameters."""
        scenario = self.scenario
        content = {k: str(v) for k, v in scenario.content().items()}
        return {
            **content,
            "forget": ",".join(map(str, scenario.forget)),
            "a": str(self.a),
            "b": str(self.b),
        }


# All that a link may say, whether or not it is at its default.
QUERY_KEYS = frozenset({"a", "b", *(each.name for each in fields(Scenario))})


def variants_of(method: str, scenario: Scenario) -> tuple[str, ...]:
    """The variants of ``method`` for which there are parameters on this data and network."""
    return tuple(METHODS[method].values.of(scenario.dataset, scenario.model, scenario.given))


def runs_of(scenario: Scenario) -> list[RunConfig]:
    """Every method in every variant on ``scenario``, whether or not it has been run."""
    return [
        RunConfig(scenario, Pick(method, variant))
        for method in METHODS
        for variant in variants_of(method, scenario)
    ]


def view_from_query(query: Mapping[str, str]) -> tuple[View, list[str]]:
    """Read a view from query parameters, replacing what does not exist.

    Returns the view and one sentence for each value that was replaced. Never raises: the query is
    whatever a stranger typed.
    """
    notices: list[str] = []
    default = View()

    def choose(name: str, allowed: Mapping[str, Any], fallback: str) -> str:
        value = query.get(name, fallback)
        if value in allowed:
            return value
        notices.append(f"The link asks for {name} “{_short(value)}”, which does not exist here.")
        return fallback

    dataset = choose("dataset", DATASETS, default.scenario.dataset)
    model = choose("model", MODELS, default.scenario.model)
    scenario = Scenario(
        dataset,
        model,
        _classes(query.get("forget"), dataset, default.scenario.forget, notices),
        choose("preset", PRESETS, default.scenario.preset),
        _number(query, "seed", default.scenario.seed, 0, MAX_SEED, notices),
        choose("given", dict.fromkeys(GIVEN), default.scenario.given),
        _number(query, "forget_samples", None, 2, MAX_FORGET_SAMPLES, notices),
        _original(query.get("original", ""), notices),
        _number(query, "relearn_epochs", EPOCHS, 1, MAX_RELEARN_EPOCHS, notices),
        _number(query, "max_batch", None, SMALLEST_BATCH, LARGEST_BATCH, notices),
    )
    picks = (
        _pick(query.get(name), fallback, scenario, notices)
        for name, fallback in (("a", default.a), ("b", default.b))
    )
    return View(scenario, *picks), notices


def _classes(
    text: str | None, dataset: str, fallback: tuple[int, ...], notices: list[str]
) -> tuple[int, ...]:
    if text is None:
        return fallback
    names = DATASETS[dataset].class_names
    parts = [part for part in text.split(",") if part.isascii() and part.isdigit()]
    classes = tuple(sorted({int(part) for part in parts if len(part) < 4}))
    # At least two classes must remain, or there is nothing to redistribute to.
    readable = len(classes) == text.count(",") + 1 and classes[-1] < len(names)
    if readable and len(classes) <= len(names) - 2:
        return classes
    notices.append(
        f"The link asks to forget class “{_short(text)}”; there are classes 0 to {len(names) - 1}."
    )
    return fallback


_Fallback = TypeVar("_Fallback", int, int | None)


def _number(
    query: Mapping[str, str],
    name: str,
    fallback: _Fallback,
    low: int,
    high: int,
    notices: list[str],
) -> int | _Fallback:
    text = query.get(name)
    if text is None:
        return fallback
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if digits and low <= int(text) <= high:
        return int(text)
    notices.append(
        f"The link asks for {name} “{_short(text)}”; it must be between {low} and {high}."
    )
    return fallback


def _original(text: str, notices: list[str]) -> str:
    if not text or re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    notices.append(f"The link names a network “{_short(text)}”, which is no content hash.")
    return ""


def _pick(text: str | None, fallback: Pick, scenario: Scenario, notices: list[str]) -> Pick:
    pick = Pick.parse(text or str(fallback))
    if pick.method not in METHODS:
        notices.append(
            f"The link asks for method “{_short(pick.method)}”, which does not exist here."
        )
        text, pick = None, fallback
    available = variants_of(pick.method, scenario)
    if pick.variant in available:
        return pick
    if text and pick.variant:
        notices.append(
            f"{METHODS[pick.method].label} has no variant “{_short(pick.variant)}” for this "
            f"network; showing “{available[0]}”."
        )
    return Pick(pick.method, available[0])


def _short(text: str) -> str:
    """What a stranger typed, cut to a length that fits into a sentence."""
    return text if len(text) <= 24 else text[:23] + "…"


def _canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with whole floats as integers: 1 and 1.0 are equal, but not as JSON."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in values.items()
    }


def setting_of(config: RunConfig) -> Setting:
    """Parameters of the picked variant, within the limits of preset and scenario."""
    scenario, preset = config.scenario, PRESETS[config.scenario.preset]
    variants = METHODS[config.pick.method].values.of(
        scenario.dataset, scenario.model, scenario.given
    )
    setting = variants[config.pick.variant]
    if isinstance(setting.params, NoParams):
        return setting
    limits = {
        "epochs": preset.retrain_epochs if config.pick.method == "retrain" else preset.epochs,
        "batch_size": scenario.max_batch,
    }
    params: Any = setting.params
    lowered = {
        name: min(getattr(params, name), limit)
        for name, limit in limits.items()
        if limit is not None and hasattr(params, name)
    }
    return replace(setting, params=replace(params, **lowered))


def relearning_of(scenario: Scenario) -> TrainingParams:
    """How ``scenario`` relearns: with the weight decay of its original's training."""
    decay = original_setting(scenario.dataset, scenario.model).params.weight_decay
    batch_size = min(SETTINGS.batch_size, scenario.max_batch or SETTINGS.batch_size)
    return replace(
        SETTINGS, epochs=scenario.relearn_epochs, weight_decay=decay, batch_size=batch_size
    )


def planned_epochs(config: RunConfig) -> int:
    """For how many epochs the method of ``config`` unlearns; 0 for the original."""
    epochs: int = getattr(setting_of(config).params, "epochs", 0)
    return epochs
