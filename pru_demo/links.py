"""What somebody asks for, in a link or a command, and what of it there is.

The text is whatever a stranger typed: what does not exist is replaced and named in a sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pru_demo.config import (
    FIELDS,
    Pick,
    RunConfig,
    Scenario,
    largest_batch,
    setting_of,
    settings_of,
    variants_of,
)
from pru_demo.data import DATASETS
from pru_demo.fields import BadValue, shortened
from pru_demo.knobs import (
    Knob,
    OutOfBounds,
    Span,
    Value,
    as_value,
    checked_changes,
    knobs_of,
    written,
)
from pru_demo.methods import METHODS


@dataclass(frozen=True)
class View:
    """What a visitor looks at: a scenario and two methods side by side."""

    scenario: Scenario = field(default_factory=Scenario)
    a: Pick = field(default=Pick("pru", "rehearsed"))
    b: Pick = field(default=Pick("boundary_shrink", "tuned"))

    def runs(self) -> dict[str, RunConfig]:
        """The configurations of A and B."""
        return {"A": RunConfig(self.scenario, self.a), "B": RunConfig(self.scenario, self.b)}

    def with_picks(self, picks: Mapping[str, Pick]) -> "View":
        """This view with other methods as A or B, or both."""
        return View(self.scenario, picks.get("A", self.a), picks.get("B", self.b))

    def query(self) -> dict[str, str]:
        """The whole state as query parameters."""
        content = self.scenario.content()
        query = {name: FIELDS[name].kind.write(value) for name, value in content.items()}
        for letter, pick in (("a", self.a), ("b", self.b)):
            query[letter] = str(pick.plain)
            query |= {f"{letter}.{name}": written(value) for name, value in pick.changes}
        return query


# All that a link may say, whether or not it is at its default, but for what was turned.
QUERY_KEYS = frozenset({"a", "b", *FIELDS})


def is_query_key(name: str) -> bool:
    """Whether ``name`` is something that a link says of a view; ``a.lambda_s`` is, too."""
    return name in QUERY_KEYS or name.startswith(("a.", "b."))


def view_from_query(query: Mapping[str, str]) -> tuple[View, list[str]]:
    """Read a view from query parameters, replacing what does not exist.

    Returns the view and one sentence for each value that was replaced. Never raises: the query is
    whatever a stranger typed.
    """
    scenario, objections = read_scenario(query)
    notices, default = [f"The link {each}" for each in objections], View()
    a = _read_pick(query, "a", default.a, scenario, notices)
    b = _read_pick(query, "b", default.b, scenario, notices)
    return View(scenario, a, b), notices


def read_scenario(
    asked: Mapping[str, str], called: Callable[[str], str] = str
) -> tuple[Scenario, list[str]]:
    """The scenario with the values of ``asked``, a text by name of the field, as far as it can be.

    Returns also a sentence without subject for each value that cannot, which its default replaces;
    ``called`` is what a field is called in it.
    """
    values: dict[str, Any] = {}
    objections = []
    for name, each in FIELDS.items():
        values[name] = each.default
        if name in asked:
            try:
                values[name] = each.kind.read(asked[name], called(name), values["dataset"])
            except BadValue as problem:
                objections.append(str(problem))
    scenario = Scenario(**values)
    if scenario.forget[-1] >= len(DATASETS[scenario.dataset].class_names):
        # What is forgotten by default is no class of a data set as small as this.
        scenario = replace(scenario, forget=(0,))
    return scenario, objections


def _read_pick(
    query: Mapping[str, str], letter: str, fallback: Pick, scenario: Scenario, notices: list[str]
) -> Pick:
    text = query.get(letter)
    pick = Pick.parse(text or str(fallback))
    if pick.method not in METHODS:
        notices.append(
            f"The link asks for method “{shortened(pick.method)}”, which does not exist here."
        )
        # What was turned was turned about that method.
        query, text, pick = {}, None, fallback
    available = variants_of(pick.method, scenario)
    if pick.variant not in available:
        if text and pick.variant:
            notices.append(
                f"{METHODS[pick.method].label} has no variant “{shortened(pick.variant)}” for this "
                f"network; showing “{available[0]}”."
            )
        pick = replace(pick, variant=available[0])
    prefix = f"{letter}."
    asked = {
        name.removeprefix(prefix): as_value(value)
        for name, value in query.items()
        if name.startswith(prefix)
    }
    pick, objections = turned(pick, asked, scenario, lambda name: f"{prefix}{name}")
    for each in objections:
        shown = f" Showing {written(each.nearest)}." if isinstance(each, OutOfBounds) else ""
        notices.append(f"The link {each}{shown}")
    return pick


def turned(
    pick: Pick, asked: Mapping[str, Value], scenario: Scenario, called: Callable[[str], str] = str
) -> tuple[Pick, list[BadValue]]:
    """``pick``, with its changes and what else is ``asked`` for, as far as that can be.

    A value that the variant has on ``scenario`` anyway is no change. Returns also the objections of
    :func:`pru_demo.knobs.checked_changes`.
    """
    knobs = knobs_on(scenario, pick)
    values, objections = checked_changes(knobs, dict(pick.changes) | dict(asked), called)
    own = setting_of(RunConfig(scenario, pick.plain)).params
    changes = {name: value for name, value in values.items() if value != getattr(own, name)}
    return replace(pick, changes=tuple(sorted(changes.items()))), objections


def knobs_on(scenario: Scenario, pick: Pick) -> dict[str, Knob]:
    """What can be turned about ``pick``; no batch can be larger than ``scenario`` lets it be."""
    params = settings_of(pick.method, scenario)[pick.variant].params
    knobs, most = knobs_of(params), largest_batch(scenario, params)
    match knobs.get("batch_size"):
        case Span(low, high, whole) if most is not None:
            knobs["batch_size"] = Span(low, min(high, most), whole)
    return knobs
