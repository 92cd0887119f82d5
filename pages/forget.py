"""Forget: the unlearning itself, replayed from the record or run live."""

import streamlit as st

from pru_demo.config import planned_epochs
from pru_demo.figures.curves import loss_figures, loss_terms, unlearning_figure
from pru_demo.figures.findings import percent
from pru_demo.figures.naming import forgotten_images, forgotten_name, images_called, pick_name
from pru_demo.figures.run_tables import curves_table, facts_table
from pru_demo.methods import METHODS
from pru_demo.ui.forget.knobs_form import knobs_form
from pru_demo.ui.shared.charts import accuracy_charts, chart, download, titled_columns
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.explained import rehearsal_said
from pru_demo.ui.shared.other_seeds import seeds_of, seeds_said
from pru_demo.ui.shared.running import run_panel
from pru_demo.ui.shared.state import current_view
from pru_demo.ui.shared.texts import text

view = current_view()
scenario, name = view.scenario, forgotten_name(view.scenario)
st.title(f"Forget {name}", anchor=False)
knobs_form(view)
comparison = needed_comparison()
runs = {record.config.pick: record for record in comparison.chosen}
curves = {pick: record.snapshots for pick, record in runs.items()}
seeds = seeds_of(comparison.chosen)

before = comparison.chosen[0].snapshots[0]
said = text(
    "forget.before",
    known=percent(before.A_f),
    images=forgotten_images(scenario),
    others_known=percent(before.A_r),
    others=images_called(scenario.dataset),
)
for pick, record in runs.items():
    after = record.snapshots[record.unlearned]
    said += " " + text(
        "forget.after",
        name=pick_name(pick),
        description=METHODS[pick.method].description,
        a_f=percent(after.A_f),
        a_r=percent(after.A_r),
    )
st.markdown(said)
if rehearsal := rehearsal_said(record.config for record in comparison.chosen):
    st.caption(rehearsal)
for pick, record in runs.items():
    if record.note:
        st.caption(f"{pick_name(pick)}: {record.note}")
accuracy_charts(
    lambda accuracy: unlearning_figure(
        curves,
        accuracy,
        max(planned_epochs(record.config) for record in comparison.chosen),
        seeds=seeds,
    ),
    key="unlearning",
    alt=f"after every step of unlearning {name}",
)
if said_of_seeds := seeds_said(seeds):
    st.markdown(said_of_seeds)
run_panel([record.config for record in comparison.chosen], [])
if yardsticks := comparison.missing_yardsticks():
    st.markdown(text("forget.no_yardsticks"))
    run_panel(yardsticks, yardsticks)

st.subheader("What drives it", anchor=False)
for pick, snapshots in curves.items():
    if any(s.losses for s in snapshots if s.stage == "unlearn"):
        st.markdown(f"**{pick_name(pick)}**, mean losses of every step")
        figures = loss_figures(snapshots)
        for column, (loss, figure) in zip(titled_columns(*figures), figures.items(), strict=True):
            with column:
                chart(
                    figure,
                    key=f"loss-{pick.stem}-{loss}",
                    alt=f"{loss} of {pick_name(pick)} over the epochs",
                )
        st.caption(loss_terms(snapshots))

st.subheader("What it cost, and what it was given", anchor=False)
facts = facts_table([*comparison.chosen, *comparison.references, *comparison.controls])
st.caption(text("forget.terms"))
with st.container(key="facts"):
    st.dataframe(facts, hide_index=True, alt="Data, time and parameters of each run")
curves_csv = curves_table(comparison.chosen).to_csv(index=False)
download("Download the curves (CSV)", curves_csv, f"forget-{name}.csv")
