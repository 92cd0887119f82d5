"""Places of runs on their scenario's map; what is missing is drawn by the engine meanwhile."""

from collections.abc import Sequence

import streamlit as st

from pru_demo.projection import displacement, pca_map
from pru_demo.runs.engine.protocol import IN_FLIGHT, EngineUnavailable, JobFailed, Refused
from pru_demo.runs.maps import PlacedRun
from pru_demo.runs.record import RunRecord, shown_forgotten
from pru_demo.runs.tasks import MAP, map_job_key
from pru_demo.ui.film import show_film
from pru_demo.ui.images import sample_images
from pru_demo.ui.notices import end_page
from pru_demo.ui.records import features_of, placed_of
from pru_demo.ui.services import ENGINE
from pru_demo.ui.visitor import visitor


def needed_places(records: Sequence[RunRecord]) -> list[PlacedRun]:
    """Places of all ``records``, or the page ends with joint PCA and a map being drawn."""
    placed = [placed_of(record.config) for record in records]
    found = [place for place in placed if place is not None]
    missing = [r for r, place in zip(records, placed, strict=True) if place is None]
    if missing:
        _draw(missing)
        _preview(missing)
        end_page()
    return found


def _draw(records: Sequence[RunRecord]) -> None:
    scenario = records[0].config.scenario
    key = map_job_key(scenario, [r.config.pick for r in records])
    job = ENGINE.job(key)
    if job is not None and job.state in ("failed", "cancelled", "interrupted"):
        error = job.future.exception()
        sentence = error.sentence if isinstance(error, JobFailed) else "Drawing was stopped."
        st.error(sentence, icon=":material/error:")
        if not st.button("Draw the map again", icon=":material/refresh:"):
            return
    if any(features_of(r.config) is None for r in records):
        st.info(
            "The features of this run are no longer stored; run it again on the page Forget.",
            icon=":material/info:",
        )
        return
    configs = [r.config.content() for r in records]
    try:
        ENGINE.submit(MAP, {"configs": configs}, key=key, visitor=visitor(), shape="map", retries=1)
    except (Refused, EngineUnavailable) as problem:
        st.error(str(problem), icon=":material/hourglass_disabled:")
        return
    _watch(key)


@st.fragment(run_every=0.5)
def _watch(key: str) -> None:
    job = ENGINE.job(key)
    if job is None or job.state not in IN_FLIGHT:
        st.rerun()
        return
    job.watch(visitor())
    events = job.events()
    message = events[-1].data["message"] if events else "Waiting for a worker"
    share = events[-1].data["share"] if events else 0.0
    st.progress(share, f"{message}. Meanwhile: the plane of joint PCA.")


def _preview(records: Sequence[RunRecord]) -> None:
    """Joint PCA of what is to be drawn: computed in a moment, and where the map starts from."""
    features = [features_of(record.config) for record in records]
    known = [(r, f) for r, f in zip(records, features, strict=True) if f is not None]
    if not known:
        return
    retained, labels = ~shown_forgotten(records[0]), records[0].arrays["labels"]
    plane = pca_map([f for _, f in known], retained)
    show_film(
        [r for r, _ in known],
        [plane.place(f) for _, f in known],
        [displacement(f, retained, labels) for _, f in known],
        sample_images(records[0].config.scenario.dataset),
    )
