"""Inside's sections: what moved, what drifted, what looks alike, what an attacker can tell.

All take the scenario's measured runs in the order in which they are drawn, A last.
"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.findings import percent
from pru_demo.figures.layer_findings import (
    drift_finding,
    layer_knowledge_finding,
    likeness_finding,
    start_of,
)
from pru_demo.figures.layers import (
    ROUNDING,
    ComparedTo,
    Measured,
    change_figure,
    drift_figure,
    knowledge_by_layer_figure,
    known_layers,
    layer_table,
    likeness_figure,
)
from pru_demo.figures.membership import (
    attack_of,
    membership_figure,
    membership_finding,
    membership_table,
    obstacle_finding,
)
from pru_demo.figures.naming import forgotten_images, forgotten_name, is_par, short_name
from pru_demo.models import MODELS
from pru_demo.ui.shared.charts import chart, download, titled_columns
from pru_demo.ui.shared.texts import text

FORGOTTEN, ALL = "Forgotten images", "All shown images"
_LIKENESS: dict[ComparedTo, str] = {
    "cka_to_original": "To the original",
    "cka_to_retrained": "To Retrain",
}


def show_change(runs: Sequence[Measured]) -> list[Measured]:
    """How far the weights of every layer moved (Eq. 6).

    Below the figure the visitor may point out some of what is drawn thin: the ``runs`` come back
    with these pointed out.
    """
    figure = st.container()
    others = [run.config.pick for run in runs if not run.letter and not run.is_reference]
    wanted = others and st.pills(
        "Point out other methods in all figures",
        others,
        format_func=short_name,
        selection_mode="multi",
        key="pointed_out",
    )
    runs = [replace(run, pointed_out=run.config.pick in wanted) for run in runs]
    scenario, retrained = runs[0].config.scenario, _reference(runs, "retrain")
    with figure:
        chart(
            change_figure(runs),
            key="changes",
            alt="Relative change of the weights of every layer after unlearning "
            f"{forgotten_name(scenario)}",
        )
    said = [text("inside.change", rounding=f"{100 * ROUNDING:g}")]
    if retrained and MODELS[scenario.model].pretrained:
        said.append(text("inside.retrain", start=start_of(retrained)))
    elif retrained:
        said.append(text("inside.retrain_apart", start=start_of(retrained)))
    st.caption(" ".join(said))
    return runs


def show_drift(runs: Sequence[Measured]) -> None:
    """How far BatchNorm's running statistics moved, if there are any."""
    if not any(run.measures["layers"]["batch_norm"] for run in runs):
        st.markdown(text("inside.no_batch_norm"))
        return
    st.markdown(" ".join([text("inside.batch_norm"), *map(drift_finding, _chosen(runs))]))
    means, variances = titled_columns("Means", "Variances")
    with means:
        chart(drift_figure(runs, "mean"), key="means", alt="Shift of BatchNorm's means by layer")
    with variances:
        chart(
            drift_figure(runs, "variance"),
            key="variances",
            alt="Change of BatchNorm's variances by layer",
        )
    st.caption(text("inside.drift"))


def show_likeness(runs: Sequence[Measured], record: RunRecord) -> None:
    """CKA of every layer on the images that the visitor chooses among those that ``record`` shows,
    as all runs of the scenario do."""
    original, retrained = _reference(runs, "original"), _reference(runs, "retrain")
    st.markdown(" ".join(likeness_finding(run, original) for run in _chosen(runs)))
    which = st.segmented_control(
        "Measured on",
        [FORGOTTEN, ALL],
        default=FORGOTTEN,
        required=True,
        key="measured_on",
        bind="query-params",
    )
    columns = titled_columns(*_LIKENESS.values())
    for column, (to, title) in zip(columns, _LIKENESS.items(), strict=True):
        with column:
            if to == "cka_to_retrained" and retrained is None:
                st.markdown(text("inside.no_retrain"))
                continue
            chart(
                likeness_figure(runs, to, "forgotten" if which == FORGOTTEN else "all"),
                key=to,
                alt=f"CKA by layer, {title.lower()}, {which.lower()}",
            )
    forgotten = record.forgotten
    st.caption(
        text(
            "inside.cka",
            all=ALL,
            shown=f"{len(forgotten):,}",
            forgotten=FORGOTTEN.lower(),
            count=f"{forgotten.sum():,}",
            share=percent(100 * forgotten.mean()),
            images=forgotten_images(record.config.scenario),
        )
    )


def show_knowledge(runs: Sequence[Measured]) -> None:
    """Which layer still knows the class, of the runs that were measured so."""
    runs = [run for run in runs if known_layers(run)]
    if not runs:
        return
    ends = _reference(runs, "original"), _reference(runs, "retrain")
    st.markdown(" ".join(layer_knowledge_finding(run, *ends) for run in _chosen(runs)))
    chart(
        knowledge_by_layer_figure(runs),
        key="known",
        alt=f"How often an attacker errs by layer, {forgotten_name(runs[0].config.scenario)}",
    )
    st.caption(text("inside.knowledge", images=forgotten_images(runs[0].config.scenario)))


def show_membership(runs: Sequence[Measured]) -> None:
    """What an attacker can tell, beside Retrain."""
    retrained, listing = _reference(runs, "retrain"), _listing(runs)
    st.markdown(" ".join(membership_finding(run, retrained) for run in _chosen(runs)))
    if obstacle := obstacle_finding(listing):
        st.markdown(obstacle)
    if any(map(attack_of, listing)):
        chart(
            membership_figure(listing),
            key="membership",
            alt="Accuracy and AUC of the membership attack for every run",
        )
    st.caption(text("inside.membership", images=forgotten_images(runs[0].config.scenario)))


def show_numbers(runs: Sequence[Measured]) -> None:
    """The numbers behind all of it, to look at and to take away."""
    name = forgotten_name(runs[0].config.scenario)
    table, attacks = layer_table(runs), membership_table(_listing(runs))
    st.dataframe(table, hide_index=True, alt="Change, drift and likeness of every layer and run")
    st.dataframe(attacks, hide_index=True, alt="Accuracy and AUC of the attack for every run")
    with st.container(horizontal=True):
        download("Layers (CSV)", table.to_csv(index=False), f"inside-{name}.csv")
        download("Attack (CSV)", attacks.to_csv(index=False), f"membership-{name}.csv")


def _chosen(runs: Sequence[Measured]) -> list[Measured]:
    """A and B, as far as they are measured."""
    return [run for run in reversed(runs) if run.letter]


def _listing(runs: Sequence[Measured]) -> list[Measured]:
    """A, B and the references first, then all others."""
    upwards = runs[::-1]
    return sorted(upwards, key=lambda run: not (run.letter or run.is_reference))


def _reference(runs: Sequence[Measured], method: str) -> Measured | None:
    par = (run for run in runs if is_par(run.config.pick))
    return next((run for run in par if run.method == method), None)
