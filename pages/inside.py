"""Inside: which layers unlearning changed, and what their weights do not show."""

import streamlit as st

from pru_demo.figures.layer_findings import inside_finding
from pru_demo.figures.naming import forgotten_example
from pru_demo.ui.inside.measured_sections import (
    show_change,
    show_drift,
    show_knowledge,
    show_likeness,
    show_membership,
    show_numbers,
)
from pru_demo.ui.inside.measuring import (
    measure_panel,
    measured_runs,
    runs_measured_before,
    unmeasured_runs,
)
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.pages import end_page

comparison = needed_comparison()
view = comparison.view
runs, missing = measured_runs(view), unmeasured_runs(view)
by_pick = {run.config.pick: run for run in runs}

st.title("What changed inside?", anchor=False)
for record in comparison.chosen:
    st.markdown(inside_finding(record, by_pick.get(record.config.pick)))
urgent = any(run.pick in (view.a, view.b) for run in missing)
if urgent:
    measure_panel(missing, needed=True)
if not runs:
    end_page()

runs = show_change(runs)

st.subheader("What the weights do not show", anchor=False)
show_drift(runs)

st.subheader("Do the layers still see the same?", anchor=False)
show_likeness(runs, comparison.chosen[0])

st.subheader(f"Which layer still knows {forgotten_example(view.scenario)}?", anchor=False)
show_knowledge(runs)
if older := [run for run in runs_measured_before(view) if run not in missing]:
    measure_panel(older, needed=False, again=True)

st.subheader("Can an attacker tell what it was trained on?", anchor=False)
show_membership(runs)

with st.expander("The numbers behind the figures", icon=":material/table:"):
    show_numbers(runs)
if missing and not urgent:
    measure_panel(missing, needed=False)
