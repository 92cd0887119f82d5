"""Runs: everything that was computed here, to sort, open, compare, run again, keep or delete."""

import streamlit as st

from pru_demo.ui.runs.run_actions import (
    delete_button,
    page_links,
    run_again,
    show_outcome,
    summaries,
)
from pru_demo.ui.runs.run_finding import runs_finding
from pru_demo.ui.runs.run_table import filtered_runs, run_table, selected_keys
from pru_demo.ui.runs.stored_runs import stored_runs
from pru_demo.ui.shared.charts import download
from pru_demo.ui.shared.jobs_panel import queue_line
from pru_demo.ui.shared.pages import end_page, link_to
from pru_demo.ui.shared.state import current_view
from pru_demo.ui.shared.texts import text
from pru_demo.ui.visitor import owner, time_zone, visitor

view, mine = current_view(), owner(visitor())
runs, unreadable = stored_runs()

st.title("What has been run here", anchor=False)
show_outcome()
queue_line()
if not runs:
    st.markdown(text("runs.nothing"))
    link_to("forget", "Forget: run the first", view)
    end_page()
st.markdown(runs_finding(runs, mine))

shown = {run.key: run for run in filtered_runs(runs, mine)}
if not shown:
    st.info("No run fits all of these filters.", icon=":material/filter_alt_off:")
    end_page()
table = run_table(list(shown.values()), mine, time_zone())
selected = [shown[key] for key in selected_keys(table)]
page_links(selected, runs, view)

with st.container(horizontal=True):
    download(f"Table as CSV ({len(shown)})", table.to_csv(index=False), "runs.csv")
    chosen = selected or list(shown.values())
    numbers = f"All numbers as JSON ({len(chosen)})"
    download(numbers, lambda: summaries(chosen), "runs.json", key="runs.json")
    delete_button(selected, mine)
if len(selected) == 1:
    run_again(selected[0])
st.caption(text("runs.terms"))
if unreadable:
    st.caption(f"Left out, because this version cannot read them: {unreadable}.")
