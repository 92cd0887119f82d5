"""What is computed and shown: the scenario, the methods to compare, and how much work to do.

Everything here is plain data, comes from and goes to a URL, and refuses nothing: a bad value is
replaced and the visitor told so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pru_demo.data import DATASETS
from pru_demo.models import MODELS
from pru_demo.unlearning import METHODS

MAX_SEED = 9999


@dataclass(frozen=True)
class Preset:
    """How much work a run does. ``None`` means all there is.

    Without ``whole_test_part`` accuracies are those of the shown samples only.
    """

    label: str
    description: str
    epochs: int
    retrain_epochs: int
    forget_samples: int | None
    relearn_samples: int | None
    whole_test_part: bool


PRESETS: dict[str, Preset] = {
    "classroom": Preset(
        "Classroom",
        "a shortened run that ends while a class is watching",
        epochs=5,
        retrain_epochs=3,
        forget_samples=1280,
        relearn_samples=1280,
        whole_test_part=False,
    ),
    "full": Preset(
        "Full",
        "all data and the paper's number of epochs",
        epochs=10,
        retrain_epochs=10,
        forget_samples=None,
        relearn_samples=None,
        whole_test_part=True,
    ),
}


@dataclass(frozen=True)
class Scenario:
    """What the runs on one page share."""

    dataset: str = "mnist"
    model: str = "allcnn-small"
    forget: tuple[int, ...] = (9,)
    preset: str = "classroom"
    seed: int = 7


@dataclass(frozen=True)
class Pick:
    """One method in one of its variants."""

    method: str
    variant: str


@dataclass(frozen=True)
class RunConfig:
    """One method on one scenario: everything its result depends on."""

    scenario: Scenario
    pick: Pick

    def content(self) -> dict[str, Any]:
        """As JSON, the content from which store keys are hashed."""
        return {**asdict(self.scenario), "forget": list(self.scenario.forget), **asdict(self.pick)}

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
        return {
            "dataset": scenario.dataset,
            "model": scenario.model,
            "forget": ",".join(map(str, scenario.forget)),
            "preset": scenario.preset,
            "seed": str(scenario.seed),
            "a": f"{self.a.method}:{self.a.variant}",
            "b": f"{self.b.method}:{self.b.variant}",
        }


def variants_of(method: str, dataset: str, model: str) -> tuple[str, ...]:
    """The variants of ``method`` for which there are parameters on this data and network."""
    return tuple(METHODS[method].parameters[dataset, model])


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
        _seed(query.get("seed"), default.scenario.seed, notices),
    )
    picks = (
        _pick(query.get(name), fallback, dataset, model, notices)
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


def _seed(text: str | None, fallback: int, notices: list[str]) -> int:
    if text is None:
        return fallback
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_SEED)):
        return int(text)
    notices.append(f"The link asks for seed “{_short(text)}”; seeds run from 0 to {MAX_SEED}.")
    return fallback


def _pick(text: str | None, fallback: Pick, dataset: str, model: str, notices: list[str]) -> Pick:
    method, _, variant = (text or f"{fallback.method}:{fallback.variant}").partition(":")
    if method not in METHODS:
        notices.append(f"The link asks for method “{_short(method)}”, which does not exist here.")
        text, method, variant = None, fallback.method, fallback.variant
    available = variants_of(method, dataset, model)
    if variant in available:
        return Pick(method, variant)
    if text and variant:
        notices.append(
            f"{METHODS[method].label} has no variant “{_short(variant)}” for this network; "
            f"showing “{available[0]}”."
        )
    return Pick(method, available[0])


def _short(text: str) -> str:
    """What a stranger typed, cut to a length that fits into a sentence."""
    return text if len(text) <= 24 else text[:23] + "…"
