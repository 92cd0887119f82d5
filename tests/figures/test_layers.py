"""Lines over the layers: where they are drawn, how they are told apart, what is left out."""

import math
from dataclasses import replace

import pytest

from pru_demo.config import Scenario, variants_of
from pru_demo.figures.layers import (
    NONE,
    ROUNDING,
    change_figure,
    distinct,
    drift_figure,
    knowledge_by_layer_figure,
    known_layers,
    layer_table,
    likeness_figure,
)
from pru_demo.figures.naming import stroke_of
from pru_demo.figures.palette import METHOD_STROKES
from pru_demo.methods import METHODS
from tests.figures.measured import measured

CONVOLUTIONS = tuple(f"conv {i}" for i in range(1, 9))


def test_layers_are_called_as_in_the_paper_and_in_its_order() -> None:
    (line,) = change_figure([measured()]).data
    assert line.x == (*CONVOLUTIONS, "classifier")
    means, variances = (drift_figure([measured()], of).data[0] for of in ("mean", "variance"))
    assert means.x == variances.x == CONVOLUTIONS


def test_what_did_not_move_is_seen_although_the_axis_has_no_zero() -> None:
    run = measured(relative=[0.5, ROUNDING / 3, *[0.01] * 6, 0.0])
    figure = change_figure([run])
    (line,) = figure.data
    assert (line.y[0], line.y[1], line.y[8]) == (0.5, NONE, NONE)
    axis = figure.layout.yaxis
    assert axis.type == "log"
    assert dict(zip(axis.tickvals, axis.ticktext, strict=True))[NONE] == "none"
    assert axis.range[0] < math.log10(NONE)
    assert line.customdata[8] == "not at all"
    assert line.customdata[0] == "50 %"


def test_a_retrained_network_is_inside_the_axis() -> None:
    figure = change_figure([measured("retrain", "", relative=[1.5] * 9)])
    assert math.log10(1.5) < figure.layout.yaxis.range[1]


def test_where_there_is_no_number_there_is_a_gap() -> None:
    (line,) = change_figure([measured(relative=[None, *[0.01] * 8])]).data
    assert math.isnan(line.y[0]) and line.y[1] == 0.01
    (line,) = drift_figure([measured(mean=[None] * 8)], "variance").data
    assert all(map(math.isnan, line.y))


def test_a_and_b_stand_out_and_the_others_are_named_when_pointed_at() -> None:
    runs = [
        measured("delete", ""),
        measured("salun", "", variant="default", pointed_out=True),
        measured("retrain", ""),
        measured("boundary_shrink", "B"),
        measured("pru", "A"),
    ]
    for figure in (change_figure(runs), likeness_figure(runs, "cka_to_original", "all")):
        lines = {line.name: line for line in figure.data}
        faint = lines.pop("DELETE (paper)")
        assert not faint.showlegend and "DELETE (paper)" in faint.hovertemplate
        assert all(line.showlegend and line.opacity == 1 for line in lines.values())
        assert min(line.line.width for line in lines.values()) > faint.line.width
        order = sorted(lines, key=lambda name: lines[name].legendrank)
        assert order[:2] == ["PRU (paper)", "BoundShrink (paper)"]
        # Whoever is drawn last lies on top.
        assert figure.data[-1].name == "PRU (paper)"


def test_variants_of_a_method_have_different_markers() -> None:
    variants = ("rehearsed", "tuned", "paper")
    runs = [measured("pru", "", variant=variant) for variant in variants]
    lines = change_figure(runs).data
    assert len({line.marker.symbol for line in lines}) == 3
    assert len({(line.line.color, line.line.dash) for line in lines}) == 1
    assert lines[0].marker.symbol == "circle"


def test_every_method_in_every_variant_can_be_drawn_and_the_first_has_its_marker() -> None:
    for method in METHODS:
        variants = variants_of(method, Scenario())
        lines = change_figure([measured(method, variant=variant) for variant in variants]).data
        # Ablations are many: two of them may share a marker, as they share colour and dash.
        assert len({line.marker.symbol for line in lines}) == min(len(variants), 4), method
        assert lines[0].marker.symbol == METHOD_STROKES[method].symbol


def test_runs_that_were_turned_by_hand_have_markers_of_their_own() -> None:
    plain, other = measured("pru", "A"), measured("pru", "B")
    pick = replace(plain.config.pick, changes=(("lambda_s", 0.5),))
    turned = replace(other, config=replace(other.config, pick=pick))
    lines = change_figure([turned, plain]).data
    assert [line.name for line in lines] == ["PRU (paper, λ_s = 0.5)", "PRU (paper)"]
    assert lines[0].marker.symbol == stroke_of(pick).symbol != lines[1].marker.symbol


def test_the_original_moved_nothing_and_is_drawn_only_if_it_was_chosen() -> None:
    still = [0.0] * 9
    assert change_figure([measured("original", "", relative=still)]).data == ()
    (line,) = change_figure([measured("original", "A", relative=still)]).data
    assert set(line.y) == {NONE}


def test_a_change_beyond_the_usual_is_on_the_axis() -> None:
    usual, far = ([0.01] * 8 + [last] for last in (0.5, 2.61))
    assert change_figure([measured(relative=usual)]).layout.yaxis.range[1] == 0.4
    figure = change_figure(
        [measured(relative=usual), measured("mask", variant="default", relative=far)]
    )
    assert math.log10(2.61) < figure.layout.yaxis.range[1] < 1


def test_drift_is_that_of_methods_only() -> None:
    runs = [measured("original", ""), measured("retrain", "A"), measured("delete", "")]
    assert [line.name for line in drift_figure(runs, "mean").data] == ["DELETE (paper)"]


def test_variances_are_read_as_factors() -> None:
    figure = drift_figure([measured(mean=[math.log(3) / 2] * 8)], "variance")
    assert figure.data[0].customdata[0] == "×3.00"
    axis = figure.layout.yaxis
    assert axis.ticktext[-1] == "×3"
    assert axis.tickvals[-1] == pytest.approx(math.log(3))
    assert axis.range[1] > math.log(3)


def test_next_to_no_drift_looks_like_it() -> None:
    for of in ("mean", "variance"):
        figure = drift_figure([measured(mean=[0.001] * 8)], of)
        assert max(figure.data[0].y) < 0.05 * figure.layout.yaxis.range[1]


def test_nothing_is_compared_with_itself() -> None:
    runs = [measured("original", ""), measured("retrain", ""), measured("pru", "A")]
    names = {
        to: [line.name for line in likeness_figure(runs, to, "all").data]
        for to in ("cka_to_original", "cka_to_retrained")
    }
    assert names["cka_to_original"] == ["Retrain", "PRU (paper)"]
    assert names["cka_to_retrained"] == ["Original", "PRU (paper)"]


def test_likeness_is_on_the_images_that_were_asked_for_and_on_a_fixed_axis() -> None:
    run = measured(cka=[0.5] * 10)
    for images, value in (("forgotten", 0.5), ("all", 0.55)):
        figure = likeness_figure([run], "cka_to_original", images)
        assert set(figure.data[0].y) == {value}
        low, high = figure.layout.yaxis.range
        assert low < 0 and high > 1


def test_features_that_are_the_last_blocks_output_are_not_drawn_twice() -> None:
    same, other = [*[0.9] * 7, 0.5, 0.5, 0.6], [*[0.9] * 7, 0.5, 0.4, 0.6]
    for values, expected in ((same, 9), (other, 10)):
        run = measured(cka=values)
        assert len(distinct(run.measures["layers"]["cka_to_original"])) == expected
    (line,) = likeness_figure([measured(cka=other)], "cka_to_original", "all").data
    assert line.x == (*CONVOLUTIONS, "features", "classifier")


def test_without_retrain_there_is_nothing_to_draw() -> None:
    run = measured(to_retrained=None)
    assert likeness_figure([run], "cka_to_retrained", "all").data == ()


def test_the_table_has_one_row_for_each_run_and_layer() -> None:
    table = layer_table([measured(), measured("delete", "")])
    # Nine blocks and the features, which have no weights.
    assert list(table["run"]) == ["PRU (paper)"] * 10 + ["DELETE (paper)"] * 10
    features = table[table["layer"] == "features"]
    assert features["Δ"].isna().all()
    conv = table.iloc[0]
    assert (conv["Δ"], conv["mean shift, σ"], conv["CKA to original, shown images"]) == (
        0.01,
        0.1,
        pytest.approx(0.95),
    )


KNOWN = [0.7, 0.8, 0.9, 0.99, 0.99, 0.99, 0.999, 0.9999, 0.9999, 0.95]


def test_what_each_layer_knows_is_drawn_upside_down() -> None:
    figure = knowledge_by_layer_figure([measured(known=KNOWN), measured("delete", "B")])
    # Who was measured before there was such an attack is left out.
    (line,) = figure.data
    assert line.x == (*CONVOLUTIONS, "classifier"), "the features are the last block's output"
    assert list(line.y) == pytest.approx([1 - KNOWN[i] for i in (*range(8), 9)])
    assert line.customdata[7] == "0.9999"
    axis = figure.layout.yaxis
    assert (axis.type, axis.autorange) == ("log", "reversed")


def test_features_that_are_not_the_last_blocks_output_have_a_place_of_their_own() -> None:
    layers = known_layers(measured(known=[*KNOWN[:8], 0.99, 0.95]))
    assert [*layers] == [*CONVOLUTIONS, "features", "classifier"]
    assert layers["features"].mean == 0.99


def test_a_layer_that_never_errs_is_on_the_axis_and_one_without_attack_is_a_gap() -> None:
    line = knowledge_by_layer_figure([measured(known=[None, *KNOWN[1:7], 1.0, 1.0, 1.0])]).data[0]
    assert math.isnan(line.y[0])
    assert line.y[7] == pytest.approx(1e-6)


def test_the_table_has_what_each_layer_knows() -> None:
    table = layer_table([measured(known=KNOWN)]).set_index("layer")
    assert table["5-shot AUC"]["conv 7"] == 0.999
    assert "5-shot AUC" not in layer_table([measured()])
