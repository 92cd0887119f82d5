"""The pictures that Perception offers, and umap-learn's own among them."""

from collections.abc import Sequence

import streamlit as st

from pru_demo.experiment.record import RunRecord
from pru_demo.figures.dot_maps import classic_figure
from pru_demo.figures.film import frames_of, moments
from pru_demo.figures.naming import pick_name
from pru_demo.ui.perception.drawing_maps import needed_classic
from pru_demo.ui.shared.charts import chart, ink

CLASSIC = "Classic UMAP"
PICTURES = {
    "Over time": "places all snapshots with one function, so that movement on it is movement in "
    "feature space. Turns, shifts and stretches that all samples share are taken out.",
    "Raw motion": "is made in the same way, but leaves common motion in.",
    "Sharp clusters": "is UMAP of some samples of all moments, and every other sample among its "
    "neighbours. Groups are clear; where one lies among the others says little.",
    "Joint PCA": "is the flat plane that all these grow from. It is best at movement and worst at "
    "neighbourhoods.",
    CLASSIC: "draws one moment by itself, as umap-learn does. Good neighbourhoods, but places do "
    "not compare.",
}
KIND_OF = {
    "Over time": "time",
    "Raw motion": "raw",
    "Sharp clusters": "sharp",
    "Joint PCA": "pca",
}


def show_classic(records: Sequence[RunRecord]) -> None:
    """UMAP of one moment of each run, each fitted alone."""
    film = moments(records)
    names = [moment.label for moment in film]
    unlearned = max(i for i, moment in enumerate(film) if moment.stage != "relearn")
    chosen = st.select_slider("When", names, names[unlearned], key="classic.moment")
    for column, record in zip(st.columns(len(records)), records, strict=True):
        with column:
            st.markdown(f"**{pick_name(record.config.pick)}**")
            snapshot = frames_of(record, film)[names.index(chosen)]
            places = needed_classic(record, snapshot)
            if places is not None:
                pick = record.config.pick
                chart(
                    classic_figure(record, places, ink()),
                    key=f"classic-{pick.method}-{pick.variant}",
                    alt=f"UMAP of {pick_name(pick)}: {record.snapshots[snapshot].label}",
                )
    st.markdown(
        "Every picture is made for itself: neighbours in it are neighbours in feature space, but "
        "where a group lies, and how far from another, says nothing and cannot be compared."
    )
