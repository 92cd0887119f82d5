"""Forget: the unlearning itself, replayed from the record or run live."""

import pandas as pd
import streamlit as st

from pru_demo.config import planned_epochs
from pru_demo.figures.curves import loss_figure, loss_terms, unlearning_figure
from pru_demo.figures.findings import percent
from pru_demo.figures.naming import forgotten_images, forgotten_name, images_called, pick_name
from pru_demo.methods import METHODS
from pru_demo.ui.shared.charts import accuracy_charts, chart
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.facts import FACTS_TERMS, facts_table, snapshots_of
from pru_demo.ui.shared.running import run_panel

comparison = needed_comparison()
view = comparison.view
name = forgotten_name(view.scenario)

before, *_ = comparison.chosen[0].snapshots
st.title(f"Forget {name}", anchor=False)
st.markdown(
    f"Before, the network recognises {percent(before.A_f)} of the "
    f"{forgotten_images(view.scenario)} and {percent(before.A_r)} of the other "
    f"{images_called(view.scenario.dataset)}. "
    + " ".join(
        f"**{pick_name(r.config.pick)}** {METHODS[r.config.pick.method].description}; it ends at "
        f"A_f {percent(r.snapshots[r.unlearned].A_f)} and A_r "
        f"{percent(r.snapshots[r.unlearned].A_r)}."
        for r in comparison.chosen
    )
)
curves = {r.config.pick: r.snapshots for r in comparison.chosen}
epochs = max(planned_epochs(r.config) for r in comparison.chosen)
accuracy_charts(
    lambda accuracy: unlearning_figure(curves, accuracy, epochs),
    key="unlearning",
    alt=f"after every step of unlearning {name}",
)
run_panel([r.config for r in comparison.chosen], [])
if references := comparison.missing_references():
    st.markdown(
        "The yardsticks of this comparison, a network trained without the class and the original "
        "one relearning, are not there yet."
    )
    run_panel(references, references)

st.subheader("What drives it", anchor=False)
for record in comparison.chosen:
    if any(s.losses for s in record.snapshots if s.stage == "unlearn"):
        st.markdown(f"**{pick_name(record.config.pick)}**, mean losses of every step")
        chart(
            loss_figure(record.snapshots),
            key=f"loss-{record.config.pick.method}-{record.config.pick.variant}",
            alt=f"Losses of {pick_name(record.config.pick)} over the epochs",
        )
        st.caption(loss_terms(record.snapshots))

st.subheader("What it cost, and what it was given", anchor=False)
facts = facts_table([*comparison.chosen, *comparison.references])
st.caption(FACTS_TERMS)
with st.container(key="facts"):
    st.dataframe(facts, hide_index=True, alt="Data, time and parameters of each run")
st.download_button(
    "Download the curves (CSV)",
    pd.concat(
        pd.DataFrame(snapshots_of(r)).drop(columns="losses").assign(run=pick_name(r.config.pick))
        for r in comparison.chosen
    ).to_csv(index=False),
    f"forget-{name}.csv",
    "text/csv",
    icon=":material/download:",
    on_click="ignore",
)
