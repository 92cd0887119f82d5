"""Perception: the same test samples on one map while the extractor changes."""

import streamlit as st

from pru_demo.data.samples import mnist_test
from pru_demo.figures.classic import classic_figure
from pru_demo.figures.findings import movement_finding
from pru_demo.figures.naming import forgotten_name, pick_name
from pru_demo.ui.charts import chart
from pru_demo.ui.comparison import needed_comparison
from pru_demo.ui.drawing_maps import needed_places
from pru_demo.ui.film import show_film
from pru_demo.ui.notices import end_page

comparison = needed_comparison()
name = forgotten_name(comparison.view.scenario)

st.title(f"Does it still see a {name}?", anchor=False)
findings = st.empty()
picture = st.segmented_control(
    "Picture",
    ["One map over time", "Joint PCA", "Classic UMAP"],
    default="One map over time",
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
images, _ = mnist_test()
moves = [movement_finding(r, p.moved.astype(float)) for r, p in zip(records, places, strict=True)]
findings.markdown(
    f"Each dot is a test image, placed by what the extractor makes of it. {' '.join(moves)} "
    "(1 = from one class to another.) Press play."
)

if picture == "Classic UMAP":
    for record, place in zip(records, places, strict=True):
        chart(
            classic_figure(record, place.classic),
            key=f"classic-{record.config.pick.method}-{record.config.pick.variant}",
            alt=f"UMAP of three snapshots of {pick_name(record.config.pick)}",
        )
else:
    show_film(
        records,
        [p.xy if picture == "One map over time" else p.pca for p in places],
        [p.moved for p in places],
        images,
    )

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
            f"For {100 * agreement:.0f} % of the {name}s the nearest other class is the same in "
            "both."
            if agreement is not None
            else ""
        )
    )
st.markdown(
    "No flat map is faithful enough to read distances from. Colour by **moved** to see each "
    "sample's true displacement, measured with all its features."
)
