"""Redistribution: where the forgotten samples go, beside where Retrain sends them."""

import streamlit as st

from pru_demo.data import DATASETS
from pru_demo.evaluation.destinations import SMOOTHING, destinations, kl_divergence
from pru_demo.figures.answers import before_after_figure, flow_figure
from pru_demo.figures.findings import destination_finding
from pru_demo.figures.naming import forgotten_images, forgotten_name, listed, pick_name
from pru_demo.figures.strips import equation_samples, taken_for
from pru_demo.ui.shared.charts import chart, ink, titled_columns
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.images import sample_images, strip
from pru_demo.ui.shared.pages import end_page
from pru_demo.ui.shared.texts import text

DESTINATIONS, IMAGES_EACH = 3, 10

comparison = needed_comparison()
scenario = comparison.view.scenario
names, forget = DATASETS[scenario.dataset].class_names, list(scenario.forget)
name, images_of = forgotten_name(scenario), forgotten_images(scenario)
retrained = comparison.yardstick("retrain")
shown = [*comparison.chosen, *(r for r in comparison.references if r is retrained)]
counts = {
    record.config.pick: record.arrays["confusion"][record.unlearned]
    for record in (*shown, *comparison.controls)
}
reference = counts[retrained.config.pick] if retrained else None

st.title(f"Where do the {images_of} go?", anchor=False)
findings = [destination_finding(record, names) for record in shown]
st.markdown(" ".join([text("redistribution.must_answer", name=name), *findings]))
columns = titled_columns(*(pick_name(record.config.pick) for record in shown))
for column, record in zip(columns, shown, strict=True):
    with column:
        pick = record.config.pick
        chart(
            flow_figure(destinations(counts[pick], forget), names, name, forget, ink()),
            key=f"flow-{pick.stem}",
            alt=f"Flow of {name} to predicted classes for {pick_name(pick)}",
        )
        if record is retrained:
            st.markdown("the reference S_re")
        elif reference is not None:
            distance = kl_divergence(counts[pick], reference, forget)
            st.markdown(f"D_KL(S ‖ S_re) to Retrain: **{distance:.2f}** nats")
if reference is not None:
    st.markdown(text("redistribution.distance", images=images_of, smoothing=SMOOTHING))
    if controls := [record.config.pick for record in comparison.controls]:
        distances = [
            f"{pick_name(pick)} **{kl_divergence(counts[pick], reference, forget):.2f}** nats"
            for pick in controls
        ]
        st.markdown(text("redistribution.controls", distances=listed(distances)))
else:
    st.markdown(text("redistribution.no_retrain"))

st.subheader("The very images", anchor=False)
images = sample_images(scenario.dataset)
for record in comparison.chosen:
    called = pick_name(record.config.pick)
    st.markdown(f"**{called}**")
    for target, those in taken_for(record, classes=DESTINATIONS, each=IMAGES_EACH).items():
        strip(
            [images[i] for i in those],
            [f"→ {names[target]}"] * len(those),
            alt=f"{images_of} that {called} calls {names[target]}",
        )

samples = equation_samples(comparison.chosen[0])
if samples is None:
    st.markdown(text("redistribution.all_too_sure", images=images_of))
    end_page()
st.subheader("Eq. 1–2 on one sample", anchor=False)
st.markdown(text("redistribution.equation", name=name))
at, count = samples.undecided, len(samples.shown)
if count > 1:
    certainty = f"Sample, from the least to the most certain {name}"
    at = st.slider(certainty, 1, count, at + 1, key="sample") - 1
image, figure = st.columns([1, 4], vertical_alignment="center")
with image:
    true_class = f"true class {names[samples.labels[at]]}"
    strip([images[samples.shown[at]]], [true_class], size=112, alt="The chosen sample")
with figure:
    chart(
        before_after_figure(samples.before[at], samples.after[at], names),
        key="equation",
        alt="Probabilities of the original network before and after redistribution",
    )
