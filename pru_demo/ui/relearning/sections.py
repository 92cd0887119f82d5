"""Relearning's sections: a clock to turn, and attacks that take no time."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pru_demo.config import RunConfig
from pru_demo.experiment.attack import Attack
from pru_demo.figures.at_once import (
    again_finding,
    at_once_figure,
    at_once_finding,
    at_once_table,
    recognised_again,
)
from pru_demo.figures.curves import relearning_figure
from pru_demo.figures.findings import (
    comeback_finding,
    control_finding,
    par_finding,
    relearning_finding,
)
from pru_demo.figures.naming import (
    forgotten_images,
    forgotten_name,
    is_par,
    is_yardstick,
    pick_name,
)
from pru_demo.figures.run_tables import relearning_table
from pru_demo.figures.seeds import NO_SEEDS
from pru_demo.figures.strips import comeback
from pru_demo.models import MODELS
from pru_demo.ui.relearning.attack_choice import introduction
from pru_demo.ui.relearning.attacking import attack_panel, attacked_at_once, relearned
from pru_demo.ui.shared.charts import accuracy_charts, download
from pru_demo.ui.shared.comparison import Comparison
from pru_demo.ui.shared.explained import controls_said
from pru_demo.ui.shared.images import sample_images, strip
from pru_demo.ui.shared.other_seeds import seeds_of, seeds_said
from pru_demo.ui.shared.texts import text

SHOWN_IMAGES = 16


def show_relearning(comparison: Comparison, attack: Attack) -> None:
    """Relearning epoch by epoch: the curves of all whom it was tried on, and which images of the
    chosen runs come back."""
    chosen = comparison.chosen
    found = {record.config: relearned(record, attack) for record in comparison.everyone}
    attacked = [record for record in found.values() if record is not None]
    mine = [record for record in attacked if record.config in {run.config for run in chosen}]
    by_method = {each.config.pick.method: each for each in attacked if is_par(each.config.pick)}
    retrained = by_method.get("retrain")
    said = [introduction(attack, chosen[0].config), *map(relearning_finding, mine)]
    if attack.kind == "class" and retrained is not None:
        said.append(par_finding(retrained))
    st.markdown(" ".join(said))
    _offer(comparison, attack, [config for config, run in found.items() if run is None])
    if not attacked:
        return
    scenario = comparison.view.scenario
    name, images_of = forgotten_name(scenario), forgotten_images(scenario)
    last = scenario.relearn_epochs
    epoch = st.slider("Relearning epoch", 0, last, last, key="epoch", bind="query-params")
    controls = [each for each in attacked if each.config in {c.config for c in comparison.controls}]
    others = [record for record in attacked if record not in controls]
    # Attacks are not carried out on other seeds.
    seeds = seeds_of(others) if attack.is_recorded else NO_SEEDS
    accuracy_charts(
        lambda accuracy: relearning_figure(
            others,
            accuracy,
            controls=controls,
            epoch=epoch,
            show_published=attack.is_recorded,
            seeds=seeds,
        ),
        key="relearning",
        alt=f"up to relearning epoch {epoch}, {name} forgotten",
    )
    notes: list[str | None] = [controls_said(controls, attacked), seeds_said(seeds)]
    if attack.is_recorded:
        has_control = MODELS[scenario.model].batch_norm
        circles = text("relearning.control") if has_control else text("relearning.no_control")
        legend = f"{circles} {text('relearning.published')}"
        notes = [legend, *map(control_finding, chosen), *notes]
    for sentence in filter(None, notes):
        st.markdown(sentence)

    if mine:
        st.subheader(f"Which {images_of} come back first", anchor=False)
    images = sample_images(scenario.dataset)
    for record in mine:
        seen = comeback(record, epoch)
        st.markdown(comeback_finding(record, epoch, kept=seen.kept, back=seen.back))
        strip(
            [images[image] for image, _ in seen.images[:SHOWN_IMAGES]],
            [f"epoch {since}" for _, since in seen.images[:SHOWN_IMAGES]],
            alt=f"The first images of {name} that {pick_name(record.config.pick)} recognises again",
        )
    _show_numbers(relearning_table(attacked, seeds), f"relearning-{name}.csv")


def show_at_once(comparison: Comparison, attack: Attack) -> None:
    """An attack that takes no epochs: before and after, and which images of the chosen runs come
    back."""
    chosen = comparison.chosen
    found = {record.config: attacked_at_once(record, attack) for record in comparison.everyone}
    attacked = [each for each in found.values() if each is not None]
    mine = [each for each in attacked if each.record.config in {run.config for run in chosen}]
    st.markdown(" ".join([introduction(attack, chosen[0].config), *map(at_once_finding, mine)]))
    _offer(comparison, attack, [config for config, each in found.items() if each is None])
    if not attacked:
        return
    scenario = comparison.view.scenario
    name, images_of = forgotten_name(scenario), forgotten_images(scenario)
    # The first is at the top.
    listing = sorted(attacked, key=lambda each: is_yardstick(each.record.config.pick))
    accuracy_charts(
        lambda accuracy: at_once_figure(listing, accuracy),
        key="at-once",
        alt=f"before and after the attack, {name} forgotten",
    )
    if mine:
        st.subheader(f"Which {images_of} come back", anchor=False)
    images = sample_images(scenario.dataset)
    for each in mine:
        back, draws = recognised_again(each), len(each.predicted)
        st.markdown(again_finding(each, len(back)))
        strip(
            [images[image] for image, _ in back[:SHOWN_IMAGES]],
            [_drawn(share, draws) for _, share in back[:SHOWN_IMAGES]],
            alt=f"Images of {name} that {pick_name(each.record.config.pick)} recognises again",
        )
    _show_numbers(at_once_table(listing).set_index("run"), f"attack-{name}.csv")


def _drawn(share: float, draws: int) -> str:
    """How many of the draws bring an image back; "" where nothing is drawn."""
    return f"{share * draws:.0f} of {draws}" if draws > 1 else ""


def _offer(comparison: Comparison, attack: Attack, missing: Sequence[RunConfig]) -> None:
    """Offer ``attack`` on those of the ``missing`` runs that it says something about."""
    if attack.is_recorded:
        return
    mine = [record.config for record in comparison.chosen]
    broken = [record.config for record in comparison.everyone if record.failure]
    # What relearning makes of Original is no news, and takes as long as any other.
    idle = [run for run in missing if attack.relearns and run.pick.method == "original"]
    wanted = [r for r in missing if r not in broken and (r in mine or r not in idle)]
    if wanted:
        # What was chosen comes first, as for all measurements.
        wanted.sort(key=lambda run: run not in mine)
        attack_panel(attack, wanted, needed=any(run in mine for run in wanted))


def _show_numbers(table: pd.DataFrame, file: str) -> None:
    with st.expander("The numbers behind the figure", icon=":material/table:"):
        st.dataframe(table, alt="A_f and A_r in percent for every run")
        download("Download (CSV)", table.to_csv(), file)
