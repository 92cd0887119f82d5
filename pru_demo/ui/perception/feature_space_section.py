"""Perception without a map: probes, belief and distance, clusters, measured with all features."""

from collections.abc import Sequence

import streamlit as st

from pru_demo.config import Scenario
from pru_demo.figures.curves import Timeline
from pru_demo.figures.feature_space import (
    MEASURES,
    PerceivedRun,
    clusters_figure,
    n_dist_figure,
    probe_figure,
)
from pru_demo.figures.findings import percent
from pru_demo.figures.naming import forgotten_images, listed, pick_name
from pru_demo.ui.perception.perceived_runs import (
    PERCEPTION_TERMS,
    clouds_at,
    moments_of,
    perception_table,
)
from pru_demo.ui.shared.charts import chart


def show_feature_space(runs: Sequence[PerceivedRun], references: Sequence[PerceivedRun]) -> None:
    """What the features of ``runs`` say; ``references`` stand beside them where one can compare."""
    scenario = runs[0].record.config.scenario
    st.header("Measured in feature space", anchor=False, divider="gray")
    st.markdown(
        "What follows was computed with all features of the extractor, not with the two of a map."
    )
    time = Timeline.covering([run.record for run in runs])
    _show_probe(runs, references, time)
    _show_belief_and_distance([*runs, *references])
    _show_clusters(runs, time)
    _show_table(scenario)


def _show_probe(
    runs: Sequence[PerceivedRun], references: Sequence[PerceivedRun], time: Timeline
) -> None:
    images_of = forgotten_images(runs[0].record.config.scenario)
    st.subheader(f"Could a new classifier still find the {images_of}?", anchor=False)
    circles = (
        "Circles: the **BatchNorm-only control**, one pass over other images without a weight "
        "update. "
        if any(run.perceived.control for run in runs)
        else ""
    )
    st.markdown(
        "Thick: a **new linear classifier**, trained on the features of half of the test images "
        "at each moment and asked about the other half. Thin: what the network's own classifier "
        f"says. {circles}Shaded: relearning."
    )
    chart(
        probe_figure(runs, references, time),
        key="probe",
        alt=f"Share of the {images_of} that a new classifier finds, over unlearning and relearning",
    )


def _show_belief_and_distance(runs: Sequence[PerceivedRun]) -> None:
    moments = moments_of(runs)
    images_of = forgotten_images(runs[0].record.config.scenario)
    st.subheader("Belief and distance (Figure 4, Eq. 7)", anchor=False)
    moment = st.segmented_control(
        "When", moments, default=moments[0], required=True, key="moment", width="stretch"
    )
    clouds = clouds_at(runs, moment)
    for column, (record, cloud) in zip(st.columns(len(clouds)), clouds, strict=True):
        with column:
            name = pick_name(record.config.pick)
            st.markdown(f"**{name}**: {percent(100 * cloud.recognised.mean())} recognised")
            chart(
                n_dist_figure(record, cloud),
                key=f"ndist-{record.config.pick.method}-{record.config.pick.variant}",
                alt=f"nDist against p_f of the {images_of} for {name}, {moment}",
            )
    st.markdown(
        f"One circle is one of the {images_of}: **p_f**, the network's belief that it is one, "
        "against **nDist**, its distance to the centre of its own class, 1 being the mean "
        "(dotted). Filled: still recognised."
    )


def _show_clusters(runs: Sequence[PerceivedRun], time: Timeline) -> None:
    images_of = forgotten_images(runs[0].record.config.scenario)
    st.subheader("The new clusters", anchor=False)
    st.markdown(
        f"Each of the {images_of} belongs to the cluster of the class that its redistributed "
        "probability favours. PRU's L_o pushes these clusters apart, its L_s draws each together"
        f"{_without_weight(runs)}. 1 is the mean distance between the classes that were kept."
    )
    for column, (measure, title) in zip(st.columns(2), MEASURES.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            chart(clusters_figure(runs, measure, time), key=f"clusters-{measure}", alt=title)


def _without_weight(runs: Sequence[PerceivedRun]) -> str:
    """Which of PRU's two losses some of the runs leave out."""
    missing = [
        f"{symbol} has no weight in {pick_name(run.record.config.pick)}"
        for run in runs
        for weight, symbol in (("lambda_o", "L_o"), ("lambda_s", "L_s"))
        if run.record.params.get(weight) == 0
    ]
    return f" ({listed(missing)})" if missing else ""


def _show_table(scenario: Scenario) -> None:
    st.subheader("Every run of this scenario", anchor=False)
    table = perception_table(scenario)
    st.caption(PERCEPTION_TERMS)
    with st.container(key="facts"):
        st.dataframe(table, hide_index=True, alt="Recognition and probes of every run")
    st.download_button(
        "Download the table (CSV)",
        table.to_csv(index=False),
        "perception.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
