"""Redistribution: where the forgotten samples go, beside where Retrain sends them."""

import numpy as np
import streamlit as st

from pru_demo.data import DATASETS
from pru_demo.evaluation.destinations import (
    SMOOTHING,
    destinations,
    kl_divergence,
    redistributed,
    resolvable,
)
from pru_demo.experiment.record import shown_forgotten
from pru_demo.figures.answers import before_after_figure, flow_figure
from pru_demo.figures.findings import destination_finding
from pru_demo.figures.naming import forgotten_images, forgotten_name, pick_name
from pru_demo.ui.shared.charts import chart, ink
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.images import sample_images, strip

DESTINATIONS, IMAGES_EACH = 3, 10

comparison = needed_comparison()
scenario = comparison.view.scenario
names, forget = DATASETS[scenario.dataset].class_names, list(scenario.forget)
name, images_of = forgotten_name(scenario), forgotten_images(scenario)
retrained = comparison.reference("retrain")
shown = [*comparison.chosen, *(r for r in comparison.references if r is retrained)]

st.title(f"Where do the {images_of} go?", anchor=False)
st.markdown(
    f"A network that no longer knows {name} must still answer something. "
    + " ".join(destination_finding(record, names) for record in shown)
)
for column, record in zip(st.columns(len(shown)), shown, strict=True):
    with column:
        confusion = record.arrays["confusion"][record.unlearned]
        st.markdown(f"**{pick_name(record.config.pick)}**")
        shares = destinations(confusion, forget)
        chart(
            flow_figure(shares, names, name, forget, ink()),
            key=f"flow-{record.config.pick.method}-{record.config.pick.variant}",
            alt=f"Flow of {name} to predicted classes for {pick_name(record.config.pick)}",
        )
        if retrained and record is not retrained:
            distance = kl_divergence(
                confusion, retrained.arrays["confusion"][retrained.unlearned], forget
            )
            st.markdown(f"D_KL(S ‖ S_re) to Retrain: **{distance:.2f}** nats")
        elif record is retrained:
            st.markdown("the reference S_re")
st.markdown(
    f"**S** is the histogram of what the {images_of} are taken for, **S_re** that of **Retrain**, "
    "a network that never met the class. **D_KL** says how far apart they are: 0 is the same. Both "
    f"are smoothed by {SMOOTHING} per class, because Retrain's is empty at the forgotten class."
    if retrained
    else "Retrain has not been computed for this choice, so there is nothing to compare with: "
    "choose it as A or B to run it."
)

st.subheader("The very images", anchor=False)
images = sample_images(scenario.dataset)
for record in comparison.chosen:
    forgotten = np.flatnonzero(shown_forgotten(record))
    predicted = record.arrays["predicted"][record.unlearned][forgotten]
    p_now = record.arrays["p_unlearned"][forgotten].max(axis=1)
    st.markdown(f"**{pick_name(record.config.pick)}**")
    for target in np.argsort(-np.bincount(predicted, minlength=len(names)))[:DESTINATIONS]:
        members = np.flatnonzero(predicted == target)
        members = members[np.argsort(-p_now[members], kind="stable")][:IMAGES_EACH]
        strip(
            [images[record.arrays["shown"][forgotten[i]]] for i in members],
            [f"→ {names[target]}"] * len(members),
            alt=f"{images_of} that {pick_name(record.config.pick)} calls {names[target]}",
        )

st.subheader("Eq. 1–2 on one sample", anchor=False)
record = comparison.chosen[0]
forgotten = np.flatnonzero(shown_forgotten(record))
p = record.arrays["p_original"][forgotten]
# Of the surest samples the stored precision no longer tells what is left to the other classes.
kept = resolvable(p, forget)
forgotten, p = forgotten[kept], p[kept]
st.markdown(
    f"PRU asks the original network for its probabilities p, takes away what it gives {name}, and "
    "shares that out over the other classes in proportion: "
    r"$\tilde p_k = p_k + p_f \cdot p_k / \sum_{j \ne f} p_j$. The sample's new cluster is the "
    "largest of them."
)
certainty = p[:, forget].sum(axis=1)
order = np.argsort(certainty, kind="stable")
undecided = int(np.abs(certainty[order] - 0.5).argmin())
position = st.slider(
    f"Sample, from the least to the most certain {name}",
    1,
    len(order),
    undecided + 1,
    key="sample",
)
sample = order[position - 1]
image, figure = st.columns([1, 4], vertical_alignment="center")
with image:
    strip(
        [images[record.arrays["shown"][forgotten[sample]]]],
        [f"true class {names[record.arrays['labels'][forgotten[sample]]]}"],
        size=112,
        alt="The chosen sample",
    )
with figure:
    chart(
        before_after_figure(p[sample], redistributed(p[[sample]], forget)[0], names),
        key="equation",
        alt="Probabilities of the original network before and after redistribution",
    )
