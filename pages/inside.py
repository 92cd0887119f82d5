"""Inside: which layers unlearning changed, and what their weights do not show."""

from dataclasses import replace

import streamlit as st

from pru_demo.experiment.record import shown_forgotten
from pru_demo.figures.findings import percent
from pru_demo.figures.layer_findings import (
    drift_finding,
    inside_finding,
    likeness_finding,
    start_of,
)
from pru_demo.figures.layers import (
    ROUNDING,
    change_figure,
    drift_figure,
    layer_table,
    likeness_figure,
)
from pru_demo.figures.membership import (
    attack_of,
    membership_figure,
    membership_finding,
    membership_table,
    obstacle_finding,
)
from pru_demo.figures.naming import forgotten_images, forgotten_name, short_name
from pru_demo.models import MODELS
from pru_demo.ui.inside.measuring import measure_panel, measured_runs, unmeasured_runs
from pru_demo.ui.shared.charts import chart
from pru_demo.ui.shared.comparison import needed_comparison
from pru_demo.ui.shared.notices import end_page

FORGOTTEN, ALL = "Forgotten images", "All shown images"

comparison = needed_comparison()
view = comparison.view
scenario = view.scenario
name, images = forgotten_name(scenario), forgotten_images(scenario)
runs, missing = measured_runs(view), unmeasured_runs(view)
by_pick = {run.config.pick: run for run in runs}
chosen = [by_pick[r.config.pick] for r in comparison.chosen if r.config.pick in by_pick]
original = next((run for run in runs if run.method == "original"), None)
retrained = next((run for run in runs if run.method == "retrain"), None)

st.title("What changed inside?", anchor=False)
for record in comparison.chosen:
    st.markdown(inside_finding(record, by_pick.get(record.config.pick)))
urgent = any(run.pick in (view.a, view.b) for run in missing)
if urgent:
    measure_panel(missing, needed=True)
if not runs:
    end_page()

figure = st.container()
others = [run.config.pick for run in runs if not run.letter and not run.is_reference]
wanted = others and st.pills(
    "Point out other methods in all figures",
    others,
    format_func=short_name,
    selection_mode="multi",
    key="pointed_out",
)
runs = [replace(run, pointed_out=run.config.pick in wanted) for run in runs]
with figure:
    chart(
        change_figure(runs),
        key="changes",
        alt=f"Relative change of the weights of every layer after unlearning {name}",
    )
apart = (
    ""
    if MODELS[scenario.model].pretrained
    else ", so its line says how far apart two networks are that have nothing in common, not how "
    "far it moved"
)
st.caption(
    "**Δ**, Eq. 6 and Figure 3 of the paper: how far all weights of a layer moved, as a share of "
    f"their size. **none**: by less than {100 * ROUNDING:g} %, the precision of stored weights. "
    "Thick: A and B; thin: all other runs of this scenario that were measured."
    + (f" **Retrain** began from {start_of(retrained)}{apart}." if retrained else "")
)

st.subheader("What the weights do not show", anchor=False)
if any(run.measures["layers"]["batch_norm"] for run in runs):
    st.markdown(
        "**BatchNorm** keeps the mean and variance of what passes through each layer. They are no "
        "weights, so Eq. 6 does not see them, but they change the network's answers as weights do. "
        + " ".join(map(drift_finding, chosen))
    )
    means, variances = st.columns(2)
    with means:
        st.markdown("**Means**")
        chart(drift_figure(runs, "mean"), key="means", alt="Shift of BatchNorm's means by layer")
    with variances:
        st.markdown("**Variances**")
        chart(
            drift_figure(runs, "variance"),
            key="variances",
            alt="Change of BatchNorm's variances by layer",
        )
    st.caption(
        "**σ**: the standard deviation that the original saw in the same channel. **×2**: a "
        "typical channel's variance doubled or halved. Retrain is left out: its channels mean "
        "other things."
    )
else:
    st.markdown("This network has no BatchNorm, so its weights show everything.")

st.subheader("Do the layers still see the same?", anchor=False)
st.markdown(" ".join(likeness_finding(run, original) for run in chosen))
which = st.segmented_control(
    "Measured on",
    [FORGOTTEN, ALL],
    default=FORGOTTEN,
    required=True,
    key="measured_on",
    bind="query-params",
)
columns = st.columns(2)
for column, to, title in (
    (columns[0], "cka_to_original", "To the original"),
    (columns[1], "cka_to_retrained", "To Retrain"),
):
    with column:
        st.markdown(f"**{title}**")
        if to == "cka_to_retrained" and retrained is None:
            st.markdown("Not computed: Retrain has not been run or measured for this choice.")
            continue
        chart(
            likeness_figure(runs, to, "forgotten" if which == FORGOTTEN else "all"),
            key=to,
            alt=f"CKA by layer, {title.lower()}, {which.lower()}",
        )
forgotten = shown_forgotten(comparison.chosen[0])
st.caption(
    f"**CKA** compares what two networks make of the same test images, layer by layer, whatever "
    "order or direction their channels have: 1 is the same picture, 0 has nothing in common (which "
    "many channels and few images never quite reach). "
    f"**{ALL}** are the {len(forgotten):,} test images that the other pages follow, too; "
    f"**{FORGOTTEN.lower()}** are the {forgotten.sum():,} of them "
    f"({percent(100 * forgotten.mean())}) that are {images}. As these are among the shown ones, "
    "forgetting shows on both; what it does to the other images alone was not measured."
)

st.subheader("Can an attacker tell what it was trained on?", anchor=False)
st.markdown(" ".join(membership_finding(run, retrained) for run in chosen))
listing = runs[::-1]
listing.sort(key=lambda run: not (run.letter or run.is_reference))
if obstacle := obstacle_finding(listing):
    st.markdown(obstacle)
if any(map(attack_of, listing)):
    chart(
        membership_figure(listing),
        key="membership",
        alt="Accuracy and AUC of the membership attack for every run",
    )
st.caption(
    f"**Membership inference**: the attacker sees how sure the network is of {images} that the "
    "original was trained on and of test images of the same class, and guesses which is which. "
    "Forgetting well is to look like **Retrain** (dashed), which never met them, not to reach 0 or "
    "1. Grey band: what guessing gives by chance in 19 cases of 20."
)

with st.expander("The numbers behind the figures", icon=":material/table:"):
    table = layer_table(runs)
    st.dataframe(table, hide_index=True, alt="Change, drift and likeness of every layer and run")
    attacks = membership_table(listing)
    st.dataframe(attacks, hide_index=True, alt="Accuracy and AUC of the attack for every run")
    with st.container(horizontal=True):
        for label, data, file in (
            ("Layers", table, f"inside-{name}.csv"),
            ("Attack", attacks, f"membership-{name}.csv"),
        ):
            st.download_button(
                f"{label} (CSV)",
                data.to_csv(index=False),
                file,
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
            )
if missing and not urgent:
    measure_panel(missing, needed=False)
