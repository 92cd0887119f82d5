"""Perception without a map: probes, belief and distance, clusters, measured with all features."""

from collections.abc import Sequence

import streamlit as st

from pru_demo.config import runs_of
from pru_demo.figures.curves import Timeline
from pru_demo.figures.feature_space import (
    MEASURES,
    PerceivedRun,
    clouds_of,
    clusters_figure,
    n_dist_figure,
    perception_table,
    probe_figure,
)
from pru_demo.figures.findings import percent
from pru_demo.figures.naming import forgotten_images, listed, pick_name
from pru_demo.ui.shared.charts import chart, download, titled_columns
from pru_demo.ui.shared.records import perceived_runs
from pru_demo.ui.shared.texts import text


def show_feature_space(runs: Sequence[PerceivedRun], references: Sequence[PerceivedRun]) -> None:
    """What the features of ``runs`` say; ``references`` stand beside them where one can compare."""
    scenario = runs[0].record.config.scenario
    images, time = forgotten_images(scenario), Timeline.covering([run.record for run in runs])
    st.header("Measured in feature space", anchor=False, divider="gray")
    st.markdown(text("perception.feature_space"))

    st.subheader(f"Could a new classifier still find the {images}?", anchor=False)
    control = any(run.perceived.control for run in runs)
    circles = f"{text('perception.control')} " if control else ""
    st.markdown(text("perception.probe", control=circles))
    chart(
        probe_figure(runs, references, time),
        key="probe",
        alt=f"Share of the {images} that a new classifier finds, over unlearning and relearning",
    )

    st.subheader("Belief and distance (Figure 4, Eq. 7)", anchor=False)
    _show_clouds([*runs, *references], images)

    st.subheader("The new clusters", anchor=False)
    st.markdown(text("perception.clusters", images=images, unweighted=_unweighted(runs)))
    for column, measure in zip(titled_columns(*MEASURES.values()), MEASURES, strict=True):
        with column:
            chart(
                clusters_figure(runs, measure, time),
                key=f"clusters-{measure}",
                alt=MEASURES[measure],
            )

    st.subheader("Every run of this scenario", anchor=False)
    shown = (run.record.config.pick for run in runs)
    table = perception_table(perceived_runs(runs_of(scenario, *shown)))
    st.caption(text("perception.terms"))
    with st.container(key="facts"):
        st.dataframe(table, hide_index=True, alt="Recognition and probes of every run")
    download("Download the table (CSV)", table.to_csv(index=False), "perception.csv")


def _show_clouds(runs: Sequence[PerceivedRun], images: str) -> None:
    """The forgotten ``images`` of each run at a moment of the visitor's choice."""
    clouds = clouds_of(runs)
    first = next(iter(clouds))
    moment = st.segmented_control(
        "When", list(clouds), default=first, required=True, key="moment", width="stretch"
    )
    # At the bottom: all axes are on one line, though a long name takes two.
    columns = st.columns(len(clouds[moment]), vertical_alignment="bottom")
    for column, (record, cloud) in zip(columns, clouds[moment], strict=True):
        with column:
            pick, name = record.config.pick, pick_name(record.config.pick)
            st.markdown(f"**{name}**: {percent(100 * cloud.recognised.mean())} recognised")
            chart(
                n_dist_figure(record, cloud),
                key=f"ndist-{pick.stem}",
                alt=f"nDist against p_f of the {images} for {name}, {moment}",
            )
    st.markdown(text("perception.belief_and_distance", images=images))


def _unweighted(runs: Sequence[PerceivedRun]) -> str:
    """Which of PRU's two losses some of the runs leave out."""
    missing = [
        f"{symbol} has no weight in {pick_name(run.record.config.pick)}"
        for run in runs
        for weight, symbol in (("lambda_o", "L_o"), ("lambda_s", "L_s"))
        if run.record.params.get(weight) == 0
    ]
    return f" ({listed(missing)})" if missing else ""
