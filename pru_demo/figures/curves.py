"""A_f and A_r over time: while a network forgets, while it relearns, and both on one axis.

And the losses that drive the forgetting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pru_demo.config import Pick
from pru_demo.experiment.record import RunRecord, Snapshot
from pru_demo.figures.naming import short_name
from pru_demo.figures.seeds import (
    NO_SEEDS,
    Seeds,
    add_band,
    relearning_spread,
    unlearning_spread,
)
from pru_demo.figures.style import (
    GREY,
    LEGEND_ABOVE,
    Accuracy,
    accuracy_figure,
    add_control,
    add_line,
    add_marks,
    calm,
    epoch_axis,
    explain_marker,
    tick_step,
)
from pru_demo.paper.printed import printed_relearning

# What each loss is, in the order in which they are drawn; others say so by their name.
LOSS_TERMS = {
    "L_p": "how far the answers are from the redistributed probabilities (Eq. 5)",
    "L_o": "large while the new clusters lie close together (Eq. 3)",
    "L_s": "how far the members of a cluster lie from each other (Eq. 4)",
    "L_p of the pool": "L_p on warps of the images to forget, which stand in for the other classes",
    "L_p + L_p of the pool": "how far the answers to the images to forget, and to warps of them "
    "that stand in for the other classes, are from the redistributed probabilities (Eq. 5)",
    "L_p, neighbours": "L_p on the images' adversarial neighbours",
    "similarity": "mean cosine similarity of the forgotten images' features",
    "cross-entropy": "how little the network believes in the labels it is given",
}
# Left of epoch 0 of relearning: the control is not a point of time.
CONTROL_X = -0.5


def unlearning_figure(
    runs: Mapping[Pick, Sequence[Snapshot]],
    accuracy: Accuracy,
    epochs: int,
    *,
    seeds: Seeds = NO_SEEDS,
) -> go.Figure:
    """A_f or A_r over unlearning epochs 0 to ``epochs``, also of runs that have not ended.

    Half epochs are E and C steps. Bands of ``seeds`` lie below all curves.
    """
    x = epoch_axis("unlearning epoch", -0.3, epochs + 0.3, epochs)
    figure = accuracy_figure(accuracy, x)
    for pick in runs:
        add_band(figure, pick, unlearning_spread(seeds, pick, accuracy))
    for pick, snapshots in runs.items():
        seen = [s for s in snapshots if s.stage != "relearn"]
        add_line(
            figure,
            pick,
            [s.position for s in seen],
            [getattr(s, accuracy) for s in seen],
            f"{short_name(pick)}<br>%{{text}}: %{{y:.1f}} %",
            text=[s.label for s in seen],
            # Also a single run is named: Plotly hides the legend of one curve.
            showlegend=True,
        )
    return figure


def loss_figures(snapshots: Sequence[Snapshot]) -> dict[str, go.Figure]:
    """The mean losses of one method's half epochs by their names, each on an axis of its own."""
    steps, names = _losses(snapshots)
    epochs = max((s.position for s in steps), default=0)
    x = epoch_axis("epoch", -0.2, epochs + 0.2, epochs, most=5)
    figures = {}
    for name in names:
        figures[name] = calm(height=240, x=x, y={"rangemode": "tozero"})
        for phase, symbol in (("E", "circle"), ("C", "square"), ("all", "diamond")):
            chosen = [s for s in steps if s.phase == phase and name in s.losses]
            if chosen:
                figures[name].add_scatter(
                    x=[s.position for s in chosen],
                    y=[s.losses[name] for s in chosen],
                    name=f"{phase} step" if phase != "all" else "whole epoch",
                    showlegend=True,
                    mode="lines+markers",
                    line={"color": "#cc79a7" if phase == "C" else "#009e73", "width": 2},
                    marker={"symbol": symbol, "size": 7},
                    hovertemplate=f"{name}, epoch %{{x}}: %{{y:.3f}}<extra></extra>",
                )
    return figures


def loss_terms(snapshots: Sequence[Snapshot]) -> str:
    """The losses and steps of :func:`loss_figures` explained, in one line of Markdown."""
    steps, names = _losses(snapshots)
    terms = [f"**{name}**: {LOSS_TERMS[name]}" for name in names if name in LOSS_TERMS]
    if any(s.phase in ("E", "C") for s in steps):
        terms.append(
            "**E step**: half an epoch in which the extractor learns; **C step**: the other half, "
            "in which the classifier is brought into agreement (in the released code the extractor "
            "again)"
        )
    return ". ".join(terms) + "." if terms else ""


def _losses(snapshots: Sequence[Snapshot]) -> tuple[list[Snapshot], list[str]]:
    """The steps of unlearning that have losses, and the names of these in order."""
    steps = [s for s in snapshots if s.stage == "unlearn" and s.losses]
    present = {name for s in steps for name in s.losses}
    return steps, [n for n in LOSS_TERMS if n in present] + sorted(present - set(LOSS_TERMS))


def relearning_figure(
    records: Sequence[RunRecord],
    accuracy: Accuracy,
    *,
    controls: Sequence[RunRecord] = (),
    epoch: int | None = None,
    show_published: bool = False,
    seeds: Seeds = NO_SEEDS,
) -> go.Figure:
    """Curves over all relearning epochs of the ``records``, of which there is at least one.

    ``controls`` lie below them, thin; who points at one reads its name. Below all lie the bands of
    ``seeds``. ``epoch`` draws the position of a slider; everything after it is faint, and has no
    band. Open circles left of zero are the BatchNorm-only control, where there is one; stars are
    Table 2 of the paper.
    """
    last = max(record.config.scenario.relearn_epochs for record in records)
    x = epoch_axis("relearning epoch", CONTROL_X - 0.04 * last, last * 1.04, last)
    figure = accuracy_figure(accuracy, x)
    for record in records:
        pick = record.config.pick
        spread = relearning_spread(seeds, pick, accuracy)
        reached = {e: each for e, each in spread.items() if epoch is None or e <= epoch}
        add_band(figure, pick, reached)
    for record in controls:
        # On a phone the legend has no room for what a sentence explains.
        _add_relearning(figure, record, accuracy, epoch, width=1.5, marker=6, showlegend=False)
    for record in records:
        _add_relearning(figure, record, accuracy, epoch)
        if record.batch_norm_only is not None:
            control = record.batch_norm_only[accuracy]
            add_control(figure, record.config.pick, CONTROL_X, control, "%{y:.1f} %")
        if show_published:
            _add_published(figure, record, accuracy)
    if any(record.batch_norm_only is not None for record in records):
        explain_marker(figure, "circle-open", "BatchNorm-only control")
    if show_published:
        explain_marker(figure, "star", "published")
    if epoch is not None:
        figure.add_vline(epoch, line={"color": "rgba(128,136,148,0.8)", "width": 1})
    return figure


def _add_relearning(
    figure: go.Figure, record: RunRecord, accuracy: Accuracy, epoch: int | None, **line: Any
) -> None:
    """A curve up to ``epoch`` and, faint, what comes after it; ``line`` as :func:`add_line` takes
    it."""
    pick, values = record.config.pick, record.relearning(accuracy)
    reached = len(values) if epoch is None else epoch + 1
    if reached < len(values):
        add_line(
            figure,
            pick,
            list(range(reached - 1, len(values))),
            values[reached - 1 :],
            None,
            width=1.5,
            marker=0,
            name=None,
            opacity=0.35,
            showlegend=False,
        )
    hover = f"{short_name(pick)}<br>epoch %{{x}}: %{{y:.1f}} %"
    add_line(figure, pick, list(range(reached)), values[:reached], hover, **line)


def _add_published(figure: go.Figure, record: RunRecord, accuracy: Accuracy) -> None:
    scenario, pick = record.config.scenario, record.config.pick
    row = printed_relearning(scenario.dataset, scenario.model, pick.method)
    if row is not None:
        hover = "Published (Table 2)<br>epoch %{x}: %{y:.1f} %"
        rim = {"color": "white", "width": 1}
        add_marks(figure, pick, row["epochs"], row[accuracy], hover, symbol="star", line=rim)


@dataclass(frozen=True)
class Timeline:
    """Unlearning and, behind it, relearning on one axis, for runs of different length.

    ``unlearning`` epochs of the longest run, then ``relearning`` epochs. The BatchNorm-only
    control lies between them: it comes after the one and is not a part of the other.
    """

    unlearning: int
    relearning: int

    @classmethod
    def covering(cls, records: Sequence[RunRecord]) -> "Timeline":
        """The axis on which all ``records`` fit."""
        snapshots = [s for record in records for s in record.snapshots]
        longest = {
            stage: max((s.epoch for s in snapshots if s.stage == stage), default=0)
            for stage in ("unlearn", "relearn")
        }
        return cls(longest["unlearn"], longest["relearn"])

    @property
    def end(self) -> int:
        """Where the axis ends."""
        return self.unlearning + self.relearning

    @property
    def control(self) -> float:
        """Where the BatchNorm-only control is drawn."""
        return self.unlearning + 0.5

    def of(self, record: RunRecord) -> list[float]:
        """Where each snapshot of ``record`` lies."""
        return [
            s.position + (self.unlearning if s.stage == "relearn" else 0) for s in record.snapshots
        ]

    def figure(self, height: int, y: Mapping[str, Any]) -> go.Figure:
        """An empty figure over this time, relearning shaded; ``y`` is of its other axis."""
        step = tick_step(self.end)
        before = list(range(0, self.unlearning + 1, step))
        after = list(range(step, self.relearning + 1, step))
        x = {
            "title": "epoch (+: of relearning)",
            "range": [-0.3, self.end + 0.3],
            "tickvals": [*before, *(self.unlearning + e for e in after)],
            "ticktext": [*map(str, before), *(f"+{e}" for e in after)],
        }
        figure = calm(height=height, x=x, y=y, **LEGEND_ABOVE)
        figure.add_vrect(
            self.unlearning,
            self.end + 0.3,
            fillcolor=GREY,
            opacity=0.35,
            line_width=0,
            layer="below",
        )
        return figure
