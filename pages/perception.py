"""Perception: the same test samples on one map while the extractor changes."""

import streamlit as st

from pru_demo.figures.classic import classic_figures
from pru_demo.figures.findings import movement_finding
from pru_demo.figures.naming import forgotten_example, forgotten_images, pick_name
from pru_demo.ui.charts import chart, ink
from pru_demo.ui.comparison import needed_comparison
from pru_demo.ui.drawing_maps import needed_places
from pru_demo.ui.film import show_film
from pru_demo.ui.images import sample_images
from pru_demo.ui.notices import end_page

OVER_TIME, PCA, CLASSIC = "One map over time", "Joint PCA", "Classic UMAP"

comparison = needed_comparison()
scenario = comparison.view.scenario

st.title(f"Does it still see {forgotten_example(scenario)}?", anchor=False)
findings = st.empty()
picture = st.segmented_control(
    "Picture",
    [OVER_TIME, PCA, CLASSIC],
    default=OVER_TIME,
    required=True,
    key="picture",
    bind="query-params",
    help="**One map over time** places all snapshots with one function, so movement on it is "
    "movement in feature space. **Joint PCA** is the plane it grew from. **Classic UMAP** draws "
    "single snapshots, each for itself: good neighbourhoods, but positions do not compare.",
)
records = [r for r in comparison.chosen if r.config.pick.method != "retrain"]
if len(records) < len(comparison.chosen):
    st.info(
        "Retrain's features live in a space of their own, so they cannot share this map.",
        icon=":material/info:",
    )
if not records:
    end_page()
places = needed_places(records)
images = sample_images(scenario.dataset)
moves = [movement_finding(r, p.moved.astype(float)) for r, p in zip(records, places, strict=True)]
findings.markdown(
    f"Each dot is a test image, placed by what the extractor makes of it. {' '.join(moves)} "
    "(1 = from one class to another.)" + ("" if picture == CLASSIC else " Press play.")
)

if picture == CLASSIC:
    for record, place in zip(records, places, strict=True):
        pick = record.config.pick
        st.subheader(pick_name(pick), anchor=False)
        single = classic_figures(record, place.classic, ink())
        for column, (moment, figure) in zip(st.columns(len(single)), single.items(), strict=True):
            with column:
                st.markdown(f"**{moment}**")
                chart(
                    figure,
                    key=f"classic-{pick.method}-{pick.variant}-{moment}",
                    alt=f"UMAP of {pick_name(pick)}: {moment}",
                )
    st.markdown(
        "Every picture is made for itself: neighbours in it are neighbours in feature space, but "
        "where a group lies, and how far from another, says nothing and cannot be compared."
    )
else:
    show_film(
        records,
        [p.xy if picture == OVER_TIME else p.pca for p in places],
        [p.moved for p in places],
        images,
    )

# The figures were measured on this map; those of the plane beside it would be others.
if picture == OVER_TIME:
    st.subheader("How far to trust this map", anchor=False)
    for record, place in zip(records, places, strict=True):
        trust = place.fidelity["trustworthiness_mean"]
        least = place.fidelity["trustworthiness_min"]
        motion = place.fidelity["movement_correlation"]
        agreement = place.fidelity["nearest_class_agreement"]
        st.markdown(
            f"**{pick_name(record.config.pick)}**: neighbours on the map are neighbours in feature "
            f"space with trustworthiness {trust:.3f} (worst snapshot {least:.3f}; 1 is perfect). "
            + (
                f"Movement on the map follows movement in feature space with r = {motion:.2f}. "
                if motion is not None
                else ""
            )
            + (
                f"For {100 * agreement:.0f} % of the {forgotten_images(scenario)} the nearest "
                "other class is the same in both."
                if agreement is not None
                else ""
            )
        )
if picture != CLASSIC:
    st.markdown(
        "No flat map is faithful enough to read distances from. Colour by **distance moved** to "
        "see each sample's true displacement, measured with all its features."
    )
