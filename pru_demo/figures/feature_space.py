"""What the extractor still sees, in its own feature space: Figure 4, a probe, the new clusters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pru_demo.evaluation.agreement import agreement
from pru_demo.experiment.perceived import CONTROL, Moment, Perceived
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.curves import Timeline
from pru_demo.figures.findings import percent, perception_finding
from pru_demo.figures.naming import pick_name, short_name, stroke_of
from pru_demo.figures.palette import OUTLINE
from pru_demo.figures.style import PERCENT_TICKS, add_control, add_line, calm, percent_axis

# Where Eq. 7 has its mean by definition, and far beyond which few samples lie.
MEAN, FAR = 1.0, 3.0

Measure = Literal["between", "within"]
MEASURES: dict[Measure, str] = {
    "between": "Between the new clusters",
    "within": "Inside a new cluster",
}


@dataclass(frozen=True)
class PerceivedRun:
    """A run and what its features say."""

    record: RunRecord
    perceived: Perceived

    @property
    def unlearned(self) -> Moment:
        """What its features say right after unlearning."""
        return self.perceived.moments[self.record.unlearned]


@dataclass(frozen=True)
class Cloud:
    """Forgotten samples (m,) of one network: distance (Eq. 7), belief p_f, and who is still
    recognised."""

    n_dist: NDArray[Any]
    p_f: NDArray[Any]
    recognised: NDArray[np.bool_]


def is_whole(run: PerceivedRun) -> bool:
    """Whether every network of the run answers with numbers, in its features and at its end."""
    features = all(moment.probe_A_f is not None for moment in run.perceived.moments)
    return features and bool(np.isfinite(run.record.arrays["p_f"]).all())


def cloud_of(run: PerceivedRun, moment: int | str) -> Cloud | None:
    """The forgotten samples at a snapshot, or of ``CONTROL``; None: there are no numbers."""
    forgotten, arrays = run.record.forgotten, run.record.arrays
    labels = arrays["labels"][forgotten]
    if isinstance(moment, str):
        if run.perceived.control_n_dist is None:
            return None
        predicted, p_f = arrays["control_predicted"], arrays["control_p_f"]
        n_dist = run.perceived.control_n_dist
    else:
        predicted, p_f = arrays["predicted"][moment], arrays["p_f"][moment]
        n_dist = run.perceived.n_dist[moment]
    if not (np.isfinite(n_dist).all() and np.isfinite(p_f).all()):
        return None
    return Cloud(n_dist, p_f[forgotten], predicted[forgotten] == labels)


def n_dist_figure(record: RunRecord, cloud: Cloud) -> go.Figure:
    """Figure 4: nDist (Eq. 7) against p_f of every forgotten sample. Filled: still recognised.

    Samples beyond the axis are drawn at its end.
    """
    color = stroke_of(record.config.pick).color
    figure = calm(
        height=260,
        x={"title": "nDist", "range": [0, FAR * 1.03], "dtick": 1},
        y={"title": "p_f", "range": [-4, 104], **PERCENT_TICKS},
        margin={"t": 8},
    )
    for who, name, fill in (
        (cloud.recognised, "still recognised", color),
        (~cloud.recognised, "not recognised", "rgba(0,0,0,0)"),
    ):
        figure.add_scatter(
            x=np.minimum(cloud.n_dist[who].astype(float), FAR),
            y=100 * cloud.p_f[who].astype(float),
            name=name,
            mode="markers",
            marker={"size": 6, "color": fill, "line": {"color": color, "width": 1}},
            opacity=0.7,
            showlegend=False,
            hovertemplate=f"{name}<br>nDist %{{x:.2f}}, p_f %{{y:.1f}} %<extra></extra>",
        )
    figure.add_vline(MEAN, line={"color": OUTLINE, "width": 1, "dash": "dot"})
    return figure


def probe_figure(
    runs: Sequence[PerceivedRun], references: Sequence[PerceivedRun], time: Timeline
) -> go.Figure:
    """Thick: share of forgotten samples that a new linear classifier finds. Thin: A_f, what the
    network's own classifier says of the shown ones. Level lines: the ``references``."""
    figure = time.figure(360, percent_axis("of the forgotten"))
    for run in references:
        pick, value = run.record.config.pick, run.unlearned.probe_A_f
        hover = f"{short_name(pick)}: a new classifier finds %{{y:.1f}} %"
        add_line(figure, pick, [0, time.end], [value, value], hover, width=2, marker=0)
    for run in runs:
        record, pick, control = run.record, run.record.config.pick, run.perceived.control
        name, x, labels = short_name(pick), time.of(record), [s.label for s in record.snapshots]
        add_line(
            figure,
            pick,
            x,
            [recognised(record, at) for at in range(len(x))],
            f"{name} says so itself<br>%{{text}}: %{{y:.1f}} %",
            width=1.5,
            marker=0,
            text=labels,
            name=f"{name}: says so itself",
            opacity=0.7,
        )
        add_line(
            figure,
            pick,
            x,
            [moment.probe_A_f for moment in run.perceived.moments],
            f"{name}, a new classifier<br>%{{text}}: %{{y:.1f}} %",
            text=labels,
            name=f"{name}: a new classifier",
        )
        if control is not None:
            add_control(figure, pick, time.control, control.probe_A_f, "%{y:.2f}")
    return figure


def clusters_figure(runs: Sequence[PerceivedRun], measure: Measure, time: Timeline) -> go.Figure:
    """How far the new clusters lie apart, or how wide they are, in class distances."""
    figure = time.figure(300, {"title": "class distances", "rangemode": "tozero"})
    for run in runs:
        pick, control = run.record.config.pick, run.perceived.control
        add_line(
            figure,
            pick,
            time.of(run.record),
            [getattr(moment, measure) for moment in run.perceived.moments],
            f"{short_name(pick)}<br>%{{text}}: %{{y:.2f}}",
            marker=7,
            text=[s.label for s in run.record.snapshots],
            showlegend=True,
        )
        if control is not None:
            add_control(figure, pick, time.control, getattr(control, measure), "%{y:.2f}")
    return figure


def recognised(record: RunRecord, snapshot: int) -> float:
    """Percent of the shown forgotten samples that the network calls by their name; NaN if its
    answers are no numbers."""
    if not np.isfinite(record.arrays["p_f"][snapshot]).all():
        return float("nan")
    forgotten = record.forgotten
    predicted, labels = record.arrays["predicted"][snapshot], record.arrays["labels"]
    return 100 * agreement(predicted[forgotten], labels[forgotten])


def perception_findings(
    runs: Sequence[PerceivedRun], yardsticks: Sequence[PerceivedRun]
) -> list[str]:
    """A sentence for each run: what it says and what could be found. Retrain, which never met the
    class, and Mask, which only hides it, are the yardsticks."""
    said = [_says_and_finds(run) for run in runs]
    for run in yardsticks:
        method, finds = run.record.config.pick.method, run.unlearned.probe_A_f
        if method == "retrain" and finds is not None:
            said.append(f"In Retrain's, which never met one, it finds {percent(finds)}.")
        elif method == "mask":
            said.append(_says_and_finds(run))
    return said


def _says_and_finds(run: PerceivedRun) -> str:
    says = recognised(run.record, run.record.unlearned)
    return perception_finding(run.record, says, run.unlearned.probe_A_f)


def clouds_of(runs: Sequence[PerceivedRun]) -> dict[str, list[tuple[RunRecord, Cloud]]]:
    """The forgotten samples of the runs at each moment of which there are numbers, in the order in
    which they are shown. Moments are named alike for runs of different length."""
    last = max(len(run.record.stage("relearn")) for run in runs)
    relearned = [f"Relearned {epoch}" for epoch in sorted({1, last})]
    clouds: dict[str, list[tuple[RunRecord, Cloud]]] = {
        name: [] for name in ("Unlearned", "BatchNorm refreshed", *relearned, "Original")
    }
    for run in runs:
        record = run.record
        moments: dict[str, int | str] = {
            "Unlearned": record.unlearned,
            "BatchNorm refreshed": CONTROL,
            **{f"Relearned {record.snapshots[i].epoch}": i for i in record.stage("relearn")},
            "Original": 0,
        }
        for name in clouds.keys() & moments.keys():
            if (cloud := cloud_of(run, moments[name])) is not None:
                clouds[name].append((record, cloud))
    return {name: found for name, found in clouds.items() if found}


def perception_table(runs: Iterable[PerceivedRun]) -> pd.DataFrame:
    """One row per run and moment: right after unlearning, and at the end of relearning."""
    rows = []
    for run in runs:
        record = run.record
        moments = {"Unlearned": record.unlearned}
        if relearned := record.stage("relearn"):
            moments["Relearned"] = relearned[-1]
        for name, at in moments.items():
            moment = run.perceived.moments[at]
            numbers = {
                "recognised, %": recognised(record, at),
                "probe A_f, %": moment.probe_A_f,
                "probe A_r, %": moment.probe_A_r,
                "between clusters": moment.between,
                "within clusters": moment.within,
            }
            rows.append({"run": pick_name(record.config.pick), "moment": name, **numbers})
    return pd.DataFrame(rows).round(2)
