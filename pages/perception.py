"""Perception: the same test samples on one map while the extractor changes, and what it sees."""

import streamlit as st

from pru_demo.figures.feature_space import is_whole
from pru_demo.figures.naming import forgotten_example
from pru_demo.ui.perception.feature_space_section import show_feature_space
from pru_demo.ui.perception.live_map import follow
from pru_demo.ui.perception.map_section import show_map
from pru_demo.ui.perception.perceived_runs import findings, perceived_runs
from pru_demo.ui.perception.picture_choice import CLASSIC, PICTURES, show_classic
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.pages import end_page
from pru_demo.ui.shared.texts import text

comparison = needed_comparison(meanwhile=follow)
scenario = comparison.view.scenario
records = list(comparison.chosen)
original, retrained = comparison.reference("original"), comparison.reference("retrain")
runs = perceived_runs(records)
picks = [record.config.pick for record in records]
references = perceived_runs(
    [r for r in (retrained, original) if r is not None and r.config.pick not in picks]
)

st.title(f"Does it still see {forgotten_example(scenario)}?", anchor=False)
if len(runs) < len(records):
    st.info(text("perception.nothing_stored"), icon=":material/info:")
    end_page()
st.markdown(" ".join(findings(runs, retrained)))
if whole := [run for run in runs if is_whole(run)]:
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
        show_classic([run.record for run in whole])
    else:
        show_map(whole, picture, original)
if len(whole) < len(runs):
    st.caption(text("perception.no_place"))
show_feature_space(runs, references)
