"""Perception's map: the film, what kind of map it is, and how far to trust it."""

from collections.abc import Sequence

import streamlit as st

from pru_demo.config import Pick
from pru_demo.data import DATASETS
from pru_demo.experiment.keys import has_own_space
from pru_demo.experiment.maps import LEAST_AGREEMENT, LEAST_MOVEMENT, LEAST_TRUST, PlacedRun
from pru_demo.experiment.record import RunRecord
from pru_demo.figures.feature_space import PerceivedRun
from pru_demo.figures.findings import doubt_finding, movement_finding
from pru_demo.figures.naming import forgotten_images, pick_name
from pru_demo.ui.perception.drawing_maps import offer_new_fit, places_or_drawing
from pru_demo.ui.perception.picture_choice import KIND_OF, PICTURES
from pru_demo.ui.perception.player_film import Shown, download_film, show_film
from pru_demo.ui.try_it.guest_image import guest_for, guest_places, keep_guest


def show_map(runs: Sequence[PerceivedRun], picture: str, original: RunRecord | None) -> None:
    """``runs`` on the map of a picture, or the drawing of it; ``original`` places the guest."""
    records, kind = [run.record for run in runs], KIND_OF[picture]
    places = places_or_drawing(runs, kind)
    if places is None:
        return
    _show_player(runs, places, kind, original)
    st.markdown(f"**{picture}** {PICTURES[picture]}")
    moves = [
        movement_finding(run.record, run.perceived.moved.astype(float))
        for run in runs
        if not has_own_space(run.record.config)
    ]
    moved = f"{' '.join(moves)} (1 = from one class to another.) " if moves else ""
    st.markdown(
        f"Each dot is a test image, placed by what the extractor makes of it. {moved}"
        "No flat map is faithful enough to read distances from: colour by **distance moved**, or "
        "switch on **tails**, to see each sample's true displacement, measured with all its "
        "features."
    )
    _show_fidelity(records, places, kind)


def _show_player(
    runs: Sequence[PerceivedRun], places: Sequence[PlacedRun], kind: str, original: RunRecord | None
) -> None:
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
    show_film(shown, guest)
    with st.container(horizontal=True, vertical_alignment="center"):
        download_film(shown)
        if guest and st.button(f"Take {guest.label} off the map", icon=":material/close:"):
            keep_guest(None)
            st.rerun()


def _show_fidelity(records: Sequence[RunRecord], places: Sequence[PlacedRun], kind: str) -> None:
    st.subheader("How far to trust this map", anchor=False)
    doubts = [
        doubt_finding(record, place.doubts(), place.fidelity)
        for record, place in zip(records, places, strict=True)
    ]
    for record, place, doubt in zip(records, places, doubts, strict=True):
        if doubt:
            st.warning(doubt, icon=":material/warning:")
        st.markdown(_fidelity_sentence(record, place))
    maps = dict.fromkeys(tuple(place.fitted_on) for place in places)
    fitted_on = ["Fitted on " + ", ".join(pick_name(Pick.parse(run)) for run in m) for m in maps]
    st.caption(
        f"Below a trustworthiness of {LEAST_TRUST} a map is not to be read for neighbourhoods, "
        f"below r = {LEAST_MOVEMENT} not for movement, below {100 * LEAST_AGREEMENT:.0f} % not for "
        f"destinations. {'. '.join(fitted_on)}."
    )
    for record, place, doubt in zip(records, places, doubts, strict=True):
        if doubt and not has_own_space(record.config):
            offer_new_fit(record.config.scenario, kind, place.fitted_on)
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
