"""A link carries the whole state, and a bad link gives a page all the same."""

import json
from dataclasses import fields, replace
from itertools import product

import pytest

from pru_demo.config import MAX_SEED, Pick, RunConfig, Scenario, View, variants_of, view_from_query
from pru_demo.data import DATASETS
from pru_demo.experiment.keys import (
    classic_key,
    features_key,
    has_own_space,
    map_key,
    perceived_key,
    placed_key,
    run_key,
    weights_key,
)
from pru_demo.experiment.maps import KINDS
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.settings import PRESETS

DEFAULT = View()

VIEWS = [
    DEFAULT,
    View(Scenario(forget=(0,), seed=0), Pick("retrain", "paper"), Pick("original", "paper")),
    View(Scenario(model="allcnn", preset="full", seed=MAX_SEED), Pick("pru", "paper"), DEFAULT.b),
    View(Scenario(forget=(1, 4, 9)), Pick("pru", "released"), Pick("boundary_shrink", "paper")),
    View(Scenario(forget=tuple(range(8)), seed=1)),
]
# On the full network nothing is tuned.
VIEWS[2] = replace(VIEWS[2], b=Pick("boundary_shrink", "released"))


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_survives_its_link(view: View) -> None:
    assert view_from_query(view.query()) == (view, [])


def test_an_empty_link_is_the_default_without_notice() -> None:
    assert view_from_query({}) == (DEFAULT, [])


def test_the_default_exists() -> None:
    scenario = DEFAULT.scenario
    assert scenario.dataset in DATASETS
    assert scenario.model in MODELS
    assert scenario.preset in PRESETS
    for pick in (DEFAULT.a, DEFAULT.b):
        assert pick.variant in variants_of(pick.method, scenario)


@pytest.mark.parametrize(
    ("dataset", "model", "method"), list(product(DATASETS, MODELS, METHODS)), ids="-".join
)
def test_every_combination_gives_a_page(dataset: str, model: str, method: str) -> None:
    view, notices = view_from_query({"dataset": dataset, "model": model, "a": method})
    assert (view.scenario.dataset, view.scenario.model) == (dataset, model)
    assert view.a == Pick(method, variants_of(method, view.scenario)[0])
    assert view.b.variant in variants_of(view.b.method, view.scenario)
    assert notices == []
    assert view_from_query(view.query()) == (view, [])


HOSTILE = [
    "42",
    "-1",
    "1e999",
    "1.5",
    "nan",
    "<script>alert(1)</script>",
    "<script>",
    "../../etc/passwd",
    "pru\0",
    "pru:",
    "PRU:Tuned",
    " 9 9 ",
    "9,,",
    ",",
    "⑨",
    "9,⑨",
    "٩",
    "²",
    "9,42",
    "9,9",
    "9,09",
    "9,0009",
    "5,9999",
    "9" * 5000,
    "0," * 4000,
    "x" * 100_000,
    "\u202e9",
    "'; DROP TABLE runs; --",
    "__class__",
    "{0}",
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: ascii(v[:24]))
@pytest.mark.parametrize("name", ["dataset", "model", "forget", "preset", "seed"])
def test_a_hostile_value_gives_the_default_and_one_notice(name: str, value: str) -> None:
    if name == "seed" and value == "42":
        pytest.skip("a seed like any other")
    view, notices = view_from_query({name: value})
    assert view == DEFAULT
    assert len(notices) == 1
    assert len(notices[0]) < 120


@pytest.mark.parametrize("value", [v for v in HOSTILE if v != "pru:"], ids=lambda v: ascii(v[:24]))
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["a", "b"])
def test_a_hostile_method_gives_the_default_and_one_notice(
    name: str, model: str, value: str
) -> None:
    expected, _ = view_from_query({"model": model})
    for hostile in (value, f"{value}:tuned"):
        view, notices = view_from_query({name: hostile, "model": model})
        assert view == expected
        assert len(notices) == 1
        assert "does not exist here" in notices[0]


@pytest.mark.parametrize("variant", ["42", "<script>", "x" * 100_000, "tuned:tuned", "TUNED"])
@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_variant_gives_the_preferred_one_and_one_notice(
    method: str, variant: str
) -> None:
    view, notices = view_from_query({"a": f"{method}:{variant}"})
    preferred = variants_of(method, DEFAULT.scenario)[0]
    assert view == replace(DEFAULT, a=Pick(method, preferred))
    assert len(notices) == 1
    assert METHODS[method].label in notices[0]
    assert f"“{preferred}”" in notices[0]
    assert len(notices[0]) < 160


def test_a_method_without_variant_means_its_preferred_one() -> None:
    for text in ("retrain", "retrain:"):
        view, notices = view_from_query({"a": text})
        assert (view.a, notices) == (Pick("retrain", "paper"), [])


@pytest.mark.parametrize("text", ["", ":"])
def test_an_empty_value_gives_the_default(text: str) -> None:
    view, notices = view_from_query(dict.fromkeys(DEFAULT.query(), text))
    assert view == DEFAULT
    assert len(notices) <= len(DEFAULT.query())


def test_a_variant_that_another_network_has_is_replaced_with_a_notice() -> None:
    view, notices = view_from_query({"model": "allcnn", "a": "pru:tuned"})
    assert view.a == Pick("pru", "paper")
    assert len(notices) == 1
    assert "“tuned”" in notices[0]


def test_every_bad_value_has_its_own_notice() -> None:
    view, notices = view_from_query(dict.fromkeys(DEFAULT.query(), "<script>"))
    assert view == DEFAULT
    assert len(notices) == len(DEFAULT.query())


def test_unknown_parameters_are_ignored() -> None:
    assert view_from_query({"utm_source": "mail", "": "x"}) == (DEFAULT, [])


@pytest.mark.parametrize("count", [8, 9, 10])
def test_two_classes_must_remain(count: int) -> None:
    view, notices = view_from_query({"forget": ",".join(map(str, range(count)))})
    if count <= 8:
        assert (view.scenario.forget, notices) == (tuple(range(count)), [])
    else:
        assert view == DEFAULT
        assert len(notices) == 1


def test_classes_are_sorted_so_that_equal_requests_are_equal() -> None:
    assert view_from_query({"forget": "9,1"}) == view_from_query({"forget": "1,9"})


@pytest.mark.parametrize(("text", "seed"), [("0", 0), ("7", 7), ("0042", 42), ("9999", 9999)])
def test_seeds_up_to_the_limit_are_taken(text: str, seed: int) -> None:
    view, notices = view_from_query({"seed": text})
    assert (view.scenario.seed, notices) == (seed, [])


@pytest.mark.parametrize(
    ("query", "scenario"),
    [
        ({"given": "D_f_new"}, Scenario(given="D_f_new")),
        ({"forget_samples": "64"}, Scenario(forget_samples=64)),
        ({"original": "0f" * 32}, Scenario(original="0f" * 32)),
    ],
)
def test_what_is_forgotten_with_and_in_is_read_and_written(
    query: dict[str, str], scenario: Scenario
) -> None:
    view, notices = view_from_query(query)
    assert (view.scenario, notices) == (scenario, [])
    assert view_from_query(view.query()) == (view, [])


@pytest.mark.parametrize(
    "query",
    [
        {"given": "everything"},
        {"forget_samples": "1"},
        {"forget_samples": "1e9"},
        {"forget_samples": "-5"},
        {"original": "../../etc/passwd"},
        {"original": "AB" * 32},
    ],
)
def test_hostile_values_of_these_are_replaced_and_named(query: dict[str, str]) -> None:
    view, notices = view_from_query(query)
    assert view.scenario == Scenario()
    assert len(notices) == 1


def test_fields_that_came_later_leave_older_keys_alone() -> None:
    assert set(Scenario().content()) == {"dataset", "model", "forget", "preset", "seed"}


def configs() -> list[RunConfig]:
    """Configurations of which each differs from the first in one thing."""
    base = RunConfig(Scenario(), Pick("pru", "tuned"))
    changes = [
        {"dataset": "other"},
        {"model": "allcnn"},
        {"forget": (8,)},
        {"forget": (8, 9)},
        {"preset": "full"},
        {"seed": 8},
        {"given": "D_f_new"},
        {"forget_samples": 100},
        {"original": "ab" * 32},
        {"relearn_epochs": 20},
        {"max_batch": 32},
    ]
    assert {name for each in changes for name in each} == {f.name for f in fields(Scenario)}
    others = [replace(base, scenario=replace(base.scenario, **each)) for each in changes]  # type: ignore[arg-type]
    picks = [Pick("pru", "paper"), Pick("boundary_shrink", "tuned")]
    return [base, *others, *(replace(base, pick=pick) for pick in picks)]


@pytest.mark.parametrize("config", configs())
def test_a_configuration_survives_json(config: RunConfig) -> None:
    content = json.loads(json.dumps(config.content()))
    again = RunConfig.from_content(content)
    assert again == config
    assert run_key(again) == run_key(config)
    assert content == config.content()


def test_keys_differ_when_anything_differs() -> None:
    kinds = (run_key, weights_key, features_key, perceived_key, classic_key)
    keys = [key(config) for config in configs() for key in kinds]
    keys += [placed_key(config, kind) for config in configs() for kind in KINDS]
    assert len(set(keys)) == len(keys)
    maps = {(c.scenario, c if has_own_space(c) else None) for c in configs()}
    assert len({map_key(c, kind) for c in configs() for kind in KINDS}) == len(maps) * len(KINDS)


def test_a_map_belongs_to_the_scenario_whatever_the_method_but_retrain_has_its_own() -> None:
    view = View(Scenario(forget=(3,)))
    runs = [*view.runs().values(), RunConfig(view.scenario, Pick("retrain", "paper"))]
    assert [map_key(run, "time") == map_key(runs[0], "time") for run in runs] == [True, True, False]


def test_a_and_b_run_on_the_same_scenario() -> None:
    view = VIEWS[3]
    assert view.runs() == {
        "A": RunConfig(view.scenario, view.a),
        "B": RunConfig(view.scenario, view.b),
    }
