"""Perception: the same test samples on one map while the extractor changes, and what it sees."""

import pandas as pd
import streamlit as st

from pru_demo.figures.findings import doubt_finding, movement_finding, percent
from pru_demo.figures.naming import forgotten_example, forgotten_images, pick_name
from pru_demo.figures.perception import MEASURES, clusters_figure, n_dist_figure, probe_figure
from pru_demo.figures.timeline import Timeline
from pru_demo.runs.maps import LEAST_MOVEMENT, LEAST_TRUST, has_own_space
from pru_demo.ui.charts import chart
from pru_demo.ui.comparison import needed_comparison
from pru_demo.ui.drawing_maps import can_fit_again, fit_again, needed_places
from pru_demo.ui.film import Shown, download_film, show_film
from pru_demo.ui.guest import guest_for, guest_places, keep_guest
from pru_demo.ui.live_map import follow
from pru_demo.ui.notices import end_page
from pru_demo.ui.perception import (
    PERCEPTION_TERMS,
    clouds_at,
    findings,
    moments_of,
    perceived_runs,
    perception_table,
)
from pru_demo.ui.pictures import CLASSIC, KIND_OF, PICTURES, show_classic

comparison = needed_comparison(meanwhile=follow)
scenario = comparison.view.scenario
images_of = forgotten_images(scenario)
records = list(comparison.chosen)
original, retrained = comparison.reference("original"), comparison.reference("retrain")
runs = perceived_runs(records)
picks = [record.config.pick for record in records]
references = perceived_runs(
    [r for r in (retrained, original) if r is not None and r.config.pick not in picks]
)

st.title(f"Does it still see {forgotten_example(scenario)}?", anchor=False)
if len(runs) < len(records):
    st.info(
        "What the features of these runs say is no longer stored: run them again on the page "
        "Forget.",
        icon=":material/info:",
    )
    end_page()
st.markdown(" ".join(findings(runs, retrained)))
picture = st.segmented_control(
    "Picture",
    list(PICTURES),
    default=next(iter(PICTURES)),
    required=True,
    key="picture",
    bind="query-params",
    label_visibility="collapsed",
)
if picture == CLASSIC:
    show_classic(records)
else:
    kind = KIND_OF[picture]
    places = needed_places(records, kind)
    guest = guest_for(scenario.dataset)
    shown = [
        Shown(
            record,
            place.xy,
            perceived.moved,
            guest and guest_places(guest, record, place, kind, original),
        )
        for (record, perceived), place in zip(runs, places, strict=True)
    ]
    show_film(shown, guest)
    with st.container(horizontal=True, vertical_alignment="center"):
        download_film(shown)
        if guest and st.button(f"Take {guest.label} off the map", icon=":material/close:"):
            keep_guest(None)
            st.rerun()

    st.markdown(f"**{picture}** {PICTURES[picture]}")
    moves = [
        movement_finding(record, perceived.moved.astype(float))
        for record, perceived in runs
        if not has_own_space(record.config)
    ]
    st.markdown(
        f"Each dot is a test image, placed by what the extractor makes of it. {' '.join(moves)} "
        "(1 = from one class to another.) No flat map is faithful enough to read distances from: "
        "colour by **distance moved**, or switch on **tails**, to see each sample's true "
        "displacement, measured with all its features."
    )
    st.subheader("How far to trust this map", anchor=False)
    doubted = False
    for record, place in zip(records, places, strict=True):
        trust = place.fidelity["trustworthiness_mean"]
        least = place.fidelity["trustworthiness_min"]
        motion = place.fidelity["movement_correlation"]
        agreement = place.fidelity["nearest_class_agreement"]
        if doubt := doubt_finding(record, place.doubts(), place.fidelity):
            st.warning(doubt, icon=":material/warning:")
            doubted = True
        st.markdown(
            f"**{pick_name(record.config.pick)}**: neighbours on the map are neighbours in feature "
            f"space with trustworthiness {trust:.3f} (worst snapshot {least:.3f}; 1 is perfect). "
            + (
                f"Movement on the map follows movement in feature space with r = {motion:.2f}. "
                if motion is not None
                else ""
            )
            + (
                f"For {100 * agreement:.0f} % of the {images_of} the nearest other class is the "
                "same in both."
                if agreement is not None
                else ""
            )
        )
    st.caption(
        f"Below a trustworthiness of {LEAST_TRUST} a map is not to be read for neighbourhoods, "
        f"below r = {LEAST_MOVEMENT} not for movement. Fitted on: "
        f"{', '.join(places[0].fitted_on)}."
    )
    if (
        doubted
        and can_fit_again(records)
        and st.button("Fit the map anew, to these runs only", icon=":material/refresh:")
    ):
        fit_again(records, kind)
        st.rerun()

st.header("Measured in feature space", anchor=False, divider="gray")
st.markdown(
    "What follows was computed with all features of the extractor, not with the two of a map."
)
time = Timeline.covering([record for record, _ in runs])
st.subheader(f"Could a new classifier still find the {images_of}?", anchor=False)
st.markdown(
    "Thick: a **new linear classifier**, trained on the features of half of the test images at "
    "each moment and asked about the other half. Thin: what the network's own classifier says. "
    "Circles: the **BatchNorm-only control**, one pass over other images without a weight update. "
    "Shaded: relearning."
)
chart(
    probe_figure(runs, references, time),
    key="probe",
    alt=f"Share of the {images_of} that a new classifier finds, over unlearning and relearning",
)
st.subheader("Belief and distance (Figure 4, Eq. 7)", anchor=False)
moments = moments_of(runs)
moment = st.segmented_control(
    "When", moments, default=moments[0], required=True, key="moment", width="stretch"
)
clouds = clouds_at([*runs, *references], moment)
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
    f"One circle is one of the {images_of}: **p_f**, the network's belief that it is one, against "
    "**nDist**, its distance to the centre of its own class, 1 being the mean (dotted). Filled: "
    "still recognised."
)
st.subheader("The new clusters", anchor=False)
st.markdown(
    f"Each of the {images_of} belongs to the cluster of the class that its redistributed "
    "probability favours. PRU's E step pushes these clusters apart (L_o) and draws each together "
    "(L_s). 1 is the mean distance between the classes that were kept."
)
for column, (measure, title) in zip(st.columns(2), MEASURES.items(), strict=True):
    with column:
        st.markdown(f"**{title}**")
        chart(clusters_figure(runs, measure, time), key=f"clusters-{measure}", alt=title)

st.subheader("Every run of this scenario", anchor=False)
table: pd.DataFrame = perception_table(scenario)
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
