"""What the features of every network still tell of the class, right after unlearning."""

import streamlit as st

from pru_demo.evaluation.knowledge import SHOTS
from pru_demo.experiment.attack import Attack
from pru_demo.figures.k_shot import knowledge_figure, knowledge_finding, knowledge_table
from pru_demo.figures.naming import (
    forgotten_example,
    forgotten_images,
    forgotten_name,
    is_par,
    is_yardstick,
)
from pru_demo.ui.relearning.attacking import attack_panel, known
from pru_demo.ui.shared.charts import chart, download
from pru_demo.ui.shared.comparison import Comparison
from pru_demo.ui.shared.texts import text


def show_knowledge(comparison: Comparison) -> None:
    """The k-shot AUC right after unlearning, and where each run stands between the references."""
    everyone, scenario = comparison.everyone, comparison.view.scenario
    name = forgotten_name(scenario)
    st.subheader(f"Do its features still know {forgotten_example(scenario)}?", anchor=False)
    listed = sorted(everyone, key=lambda record: is_yardstick(record.config.pick))
    found = [(record.config, known(record)) for record in listed]
    runs = [run for _, run in found if run is not None]
    if missing := [config for config, run in found if run is None]:
        attack_panel(Attack("features"), missing, needed=not runs)
    if not runs:
        return
    k = int(
        st.segmented_control(
            f"New {forgotten_images(scenario)} that the attacker has",
            [str(k) for k in SHOTS],
            default="5",
            required=True,
            key="known_from",
            bind="query-params",
        )
    )
    par = {run.method: run for run in runs if is_par(run.config.pick)}
    ends = (par.get("original"), par.get("retrain"))
    # A line each.
    st.markdown("  \n".join(filter(None, (knowledge_finding(run, k, *ends) for run in runs))))
    if any(run.found[k].mean is not None for run in runs):
        chart(
            knowledge_figure(runs, k),
            key="knowledge",
            alt=f"How often an attacker with {k} images of {name} errs, for every network",
        )
    st.caption(text("relearning.knowledge", images=forgotten_images(scenario)))
    if any(run.shots_were_seen for run in runs):
        st.caption(text("relearning.shots_were_seen"))
    with st.expander("The numbers of all attackers", icon=":material/table:"):
        table = knowledge_table(runs)
        st.dataframe(table, hide_index=True, alt="AUC for every network and number of images")
        download("Download (CSV)", table.to_csv(index=False), f"knowledge-{name}.csv", key="known")
