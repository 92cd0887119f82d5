"""Perception: the same test samples on one map while the extractor changes, and what it sees."""

import streamlit as st

from pru_demo.figures.feature_space import perception_findings
from pru_demo.figures.naming import forgotten_example
from pru_demo.ui.perception.feature_space_section import show_feature_space
from pru_demo.ui.perception.live_map import follow
from pru_demo.ui.perception.map_section import show_map
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.pages import end_page
from pru_demo.ui.shared.records import perceived_runs
from pru_demo.ui.shared.texts import text

comparison = needed_comparison(meanwhile=follow)
runs = perceived_runs(record.config for record in comparison.chosen)
references = perceived_runs(record.config for record in comparison.references)
controls = perceived_runs(record.config for record in comparison.controls)

st.title(f"Does it still see {forgotten_example(comparison.view.scenario)}?", anchor=False)
if len(runs) < len(comparison.chosen):
    st.info(text("perception.nothing_stored"), icon=":material/info:")
    end_page()
st.markdown(" ".join(perception_findings(runs, [*references, *controls])))
show_map(runs, comparison.yardstick("original"))
show_feature_space(runs, references)
