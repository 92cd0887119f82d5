"""What the finer instruments say of a scenario's runs; what is missing is measured on a click."""

from collections.abc import Sequence

from pru_demo.config import RunConfig, runs_of
from pru_demo.experiment.keys import inside_key, run_key, weights_key
from pru_demo.experiment.tasks import INSIDE, shape_of
from pru_demo.figures.layers import Measured
from pru_demo.figures.naming import listed, pick_name
from pru_demo.jobs.protocol import ORPHAN_SECONDS
from pru_demo.links import View
from pru_demo.ui.shared.comparison import REFERENCES
from pru_demo.ui.shared.jobs_panel import (
    AT_ONCE,
    FAILED,
    STOPPED,
    Endings,
    Offered,
    any_goes_on,
    offer,
)
from pru_demo.ui.shared.services import STORE
from pru_demo.ui.shared.texts import text

_STOPPED = (STOPPED, "Measuring {name} was stopped. Nothing else was lost.")
_ENDINGS: Endings = {
    "failed": (FAILED, "{name} could not be measured. {sentence} Reference {reference}."),
    "cancelled": _STOPPED,
    "interrupted": _STOPPED,
}


def measured_runs(view: View) -> list[Measured]:
    """All measured runs of the scenario; B and A come last, to be drawn over the others."""
    letters = {view.b: "B", view.a: "A"}
    found = [
        Measured(run, measures, letters.get(run.pick, ""))
        for run in runs_of(view.scenario, view.a, view.b)
        if (measures := STORE.meta(inside_key(run))) is not None
    ]
    return sorted(found, key=lambda run: ["", "B", "A"].index(run.letter))


def unmeasured_runs(view: View) -> list[RunConfig]:
    """Stored runs of the scenario that can be measured: A, B, the references, then all others.

    While A or B is among them only what a comparison of these two needs. What was measured before
    Retrain was there is to be measured again.
    """
    first = [view.a, view.b, *REFERENCES]
    missing = [
        run
        for run in runs_of(view.scenario, view.a, view.b)
        if STORE.meta(run_key(run)) is not None and not _is_measured(run)
    ]
    missing.sort(key=lambda r: first.index(r.pick) if r.pick in first else len(first))
    if any(run.pick in (view.a, view.b) for run in missing):
        return [run for run in missing if run.pick in first]
    return missing


def runs_measured_before(view: View) -> list[RunConfig]:
    """Measured runs of the comparison whose layers nobody attacked: that came later."""
    wanted = dict.fromkeys(RunConfig(view.scenario, p) for p in (view.a, view.b, *REFERENCES))
    return [r for r in wanted if STORE.meta(inside_key(r)) is not None and not _is_attacked(r)]


def measure_panel(missing: Sequence[RunConfig], *, needed: bool, again: bool = False) -> None:
    """Offer to measure ``missing``, as many as a visitor may have waiting, or show it going on.

    ``needed``: without it the page has little to show, so the offer stands out. ``again``: they
    were measured by a version that measured less.
    """
    keys = {run: inside_key(run) for run in missing}
    is_done = _is_attacked if again else _is_measured
    if any_goes_on(keys, lambda: any(map(is_done, missing)), _ENDINGS):
        return
    offered = missing[:AT_ONCE]
    names = listed([pick_name(run.pick) for run in missing])
    minutes = f"{ORPHAN_SECONDS / 60:.0f}"
    said = (
        text("inside.measured_before", names=names)
        if again
        else text("inside.not_measured", names=names, minutes=minutes)
    )
    offer(
        [
            Offered(INSIDE, {"config": run.content()}, keys[run], f"measure {shape_of(run)}")
            for run in offered
        ],
        said,
        f"Measure {listed([pick_name(run.pick) for run in offered])}",
        key="again" if again else "measure",
        icon=":material/labs:",
        needed=needed,
    )


def _is_attacked(run: RunConfig) -> bool:
    """Whether its layers are."""
    measures = STORE.meta(inside_key(run))
    return measures is not None and "k_shot_auc" in measures["layers"]


def _is_measured(run: RunConfig) -> bool:
    """Whether there is all that can be: what needs Retrain, too, if its weights are there."""
    measures = STORE.meta(inside_key(run))
    if measures is None:
        return False
    retrain = RunConfig(run.scenario, REFERENCES[0])
    compared = measures["layers"]["cka_to_retrained"] is not None
    return compared or STORE.meta(weights_key(retrain)) is None
