"""Perception's map: the picture that is chosen, the film on it, and how far to trust it."""

from collections.abc import Sequence

import streamlit as st

from pru_demo.config import Pick
from pru_demo.data import DATASETS
from pru_demo.experiment.keys import has_own_space
from pru_demo.experiment.maps import LEAST_AGREEMENT, LEAST_MOVEMENT, LEAST_TRUST, PlacedRun
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.dot_maps import classic_figure
from pru_demo.figures.feature_space import PerceivedRun, is_whole
from pru_demo.figures.film import frames_of, moments
from pru_demo.figures.findings import doubt_finding, movement_finding
from pru_demo.figures.naming import forgotten_images, pick_name
from pru_demo.ui.components.map_player import map_player
from pru_demo.ui.perception.drawing_maps import needed_classic, offer_new_fit, places_or_drawing
from pru_demo.ui.perception.player_film import Shown, film_file, movie_of
from pru_demo.ui.shared.charts import chart, download, ink
from pru_demo.ui.shared.texts import text
from pru_demo.ui.try_it.guest_image import guest_for, guest_places, keep_guest

# Of every picture the kind of its map, and what is said of it.
MAPS = {
    "Over time": ("time", text("perception.over_time")),
    "Raw motion": ("raw", text("perception.raw_motion")),
    "Sharp clusters": ("sharp", text("perception.sharp_clusters")),
    "Joint PCA": ("pca", text("perception.joint_pca")),
}
# umap-learn's own, of one moment by itself.
CLASSIC = "Classic UMAP"


def show_map(runs: Sequence[PerceivedRun], original: RunRecord | None) -> None:
    """The picture of ``runs`` that the visitor chooses; ``original`` places the guest on it."""
    whole = [run for run in runs if is_whole(run)]
    if whole:
        pictures = [*MAPS, CLASSIC]
        picture = st.segmented_control(
            "Picture",
            pictures,
            default=pictures[0],
            required=True,
            key="picture",
            bind="query-params",
            label_visibility="collapsed",
        )
        if picture == CLASSIC:
            _show_classic([run.record for run in whole])
        else:
            _show_places(whole, *MAPS[picture], original)
    if len(whole) < len(runs):
        st.caption(text("perception.no_place"))


def _show_places(
    runs: Sequence[PerceivedRun], kind: str, what: str, original: RunRecord | None
) -> None:
    """``runs`` on the map of a ``kind``, with ``what`` is said of it, or the drawing of it."""
    places = places_or_drawing(runs, kind)
    if places is None:
        return
    guest = guest_for(runs[0].record.config.scenario.dataset)
    shown = [
        Shown(
            run.record,
            place.xy,
            run.perceived.moved,
            None if guest is None else guest_places(guest, run.record, place, kind, original),
        )
        for run, place in zip(runs, places, strict=True)
    ]
    map_player(movie_of(shown, guest), key="film")
    with st.container(horizontal=True, vertical_alignment="center"):
        download(
            "Download the film (HTML)",
            lambda: film_file(shown),
            "film.html",
            meaning="An interactive figure in one file, about 6 MB. Its camera button saves a PNG.",
        )
        if guest and st.button(f"Take {guest.label} off the map", icon=":material/close:"):
            keep_guest(None)
            st.rerun()
    st.markdown(what)
    moves = [
        movement_finding(run.record, run.perceived.moved.astype(float))
        for run in runs
        if not has_own_space(run.record.config)
    ]
    moved = f"{' '.join(moves)} (1 = from one class to another.) " if moves else ""
    st.markdown(text("perception.dots", moved=moved))
    _show_fidelity([run.record for run in runs], places, kind)


def _show_fidelity(records: Sequence[RunRecord], places: Sequence[PlacedRun], kind: str) -> None:
    st.subheader("How far to trust this map", anchor=False)
    doubtful = []
    for record, place in zip(records, places, strict=True):
        if doubt := doubt_finding(record, place.doubts(), place.fidelity):
            st.warning(doubt, icon=":material/warning:")
            doubtful.append((record.config, place.fitted_on))
        st.markdown(_fidelity_sentence(record, place))
    maps = dict.fromkeys(tuple(place.fitted_on) for place in places)
    fitted_on = ["Fitted on " + ", ".join(pick_name(Pick.parse(run)) for run in m) for m in maps]
    said = text(
        "perception.fidelity",
        trust=LEAST_TRUST,
        movement=LEAST_MOVEMENT,
        agreement=f"{100 * LEAST_AGREEMENT:.0f}",
        fitted_on=". ".join(fitted_on),
    )
    st.caption(said)
    for config, runs in doubtful:
        if not has_own_space(config):
            offer_new_fit([record.config for record in records], kind, runs)
            return  # one map holds all such runs


def _fidelity_sentence(record: RunRecord, place: PlacedRun) -> str:
    trust, least = (place.fidelity[f"trustworthiness_{part}"] for part in ("mean", "min"))
    motion = place.fidelity["movement_correlation"]
    agreement = place.fidelity["nearest_class_agreement"]
    said = (
        f"**{pick_name(record.config.pick)}**: neighbours on the map are neighbours in feature "
        f"space with trustworthiness {trust:.3f} (worst snapshot {least:.3f}; 1 is perfect)."
    )
    if motion is not None:
        said += f" Movement on the map follows movement in feature space with r = {motion:.2f}."
    if agreement is not None:
        scenario = record.config.scenario
        kept = len(DATASETS[scenario.dataset].class_names) - len(scenario.forget)
        said += (
            f" For {100 * agreement:.0f} % of the {forgotten_images(scenario)} the nearest other "
            f"class is the same in both (chance: {100 / kept:.0f} %)"
        )
        lost = agreement < LEAST_AGREEMENT
        said += ": **do not read from this map where they go**." if lost else "."
    return said


def _show_classic(records: Sequence[RunRecord]) -> None:
    """UMAP of one moment of each run, each fitted alone."""
    film = moments(records)
    names = [moment.label for moment in film]
    unlearned = max(i for i, moment in enumerate(film) if moment.stage != "relearn")
    chosen = st.select_slider("When", names, names[unlearned], key="classic.moment")
    for column, record in zip(st.columns(len(records)), records, strict=True):
        with column:
            pick = record.config.pick
            st.markdown(f"**{pick_name(pick)}**")
            snapshot = frames_of(record, film)[names.index(chosen)]
            places = needed_classic(record, snapshot)
            if places is not None:
                chart(
                    classic_figure(record, places, ink()),
                    key=f"classic-{pick.stem}",
                    alt=f"UMAP of {pick_name(pick)}: {record.snapshots[snapshot].label}",
                )
    st.markdown(text("perception.classic"))
