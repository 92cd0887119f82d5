"""Relearning: turn the clock forward and see what comes back."""

import streamlit as st

from pru_demo.figures.curves import relearning_figure
from pru_demo.figures.findings import comeback_finding, control_finding, relearning_finding
from pru_demo.figures.naming import forgotten_images, forgotten_name, pick_name
from pru_demo.figures.run_tables import relearning_table
from pru_demo.figures.strips import comeback
from pru_demo.models import MODELS
from pru_demo.ui.shared.charts import accuracy_charts, download
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.controls import controls_said
from pru_demo.ui.shared.images import sample_images, strip
from pru_demo.ui.shared.seeds import seeds_of, seeds_said
from pru_demo.ui.shared.texts import text

SHOWN_IMAGES = 16

comparison = needed_comparison()
scenario = comparison.view.scenario
name, images_of = forgotten_name(scenario), forgotten_images(scenario)
# Drawn in this order: what was chosen lies over its yardsticks.
everyone = [*comparison.references, *comparison.chosen]
seeds = seeds_of(everyone)

st.title(f"Make it remember {name}", anchor=False)
findings = map(relearning_finding, comparison.chosen)
st.markdown(" ".join([text("relearning.others_only", images=images_of), *findings]))
last = scenario.relearn_epochs
epoch = st.slider("Relearning epoch", 0, last, last, key="epoch", bind="query-params")
accuracy_charts(
    lambda accuracy: relearning_figure(
        everyone,
        accuracy,
        controls=comparison.controls,
        epoch=epoch,
        show_published=True,
        seeds=seeds,
    ),
    key="relearning",
    alt=f"up to relearning epoch {epoch} without {name}",
)
has_control = MODELS[scenario.model].batch_norm
circles = text("relearning.control") if has_control else text("relearning.no_control")
st.markdown(f"{circles} {text('relearning.published')}")
for sentence in filter(None, map(control_finding, comparison.chosen)):
    st.markdown(sentence)
for said in filter(None, (controls_said(comparison), seeds_said(seeds))):
    st.markdown(said)

st.subheader(f"Which {images_of} come back first", anchor=False)
images = sample_images(scenario.dataset)
for record in comparison.chosen:
    seen = comeback(record, epoch)
    st.markdown(comeback_finding(record, epoch, kept=seen.kept, back=seen.back))
    strip(
        [images[image] for image, _ in seen.images[:SHOWN_IMAGES]],
        [f"epoch {since}" for _, since in seen.images[:SHOWN_IMAGES]],
        alt=f"The first images of {name} that {pick_name(record.config.pick)} recognises again",
    )

with st.expander("The numbers behind the figure", icon=":material/table:"):
    table = relearning_table([*everyone, *comparison.controls], seeds)
    st.dataframe(table, alt="A_f and A_r in percent for every relearning epoch")
    download("Download (CSV)", table.to_csv(), f"relearning-{name}.csv")
