"""A link carries the whole state, and a bad link gives a page all the same."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import pytest

from pru_demo.config import FIELDS, Pick, RunConfig, Scenario, variants_of
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
from pru_demo.fields import Number
from pru_demo.links import QUERY_KEYS, View, view_from_query
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.settings import PRESETS

DEFAULT = View()

VIEWS = [
    DEFAULT,
    View(Scenario(forget=(0,), seed=0), Pick("retrain", "paper"), Pick("original", "paper")),
    # On the full network nothing is tuned.
    View(
        Scenario(model="allcnn", preset="full", seed=9999),
        Pick("pru", "paper"),
        Pick("boundary_shrink", "released"),
    ),
    View(Scenario(forget=(1, 4, 9)), Pick("pru", "released"), Pick("boundary_shrink", "paper")),
    View(Scenario(forget=tuple(range(8)), seed=1)),
]

# Each field with another value than its default, as a link writes it.
OTHERS = {
    "dataset": ("cifar10", "cifar10"),
    "model": ("allcnn", "allcnn"),
    "forget": ((8, 9), "8,9"),
    "preset": ("full", "full"),
    "seed": (8, "8"),
    "given": ("D_f_new", "D_f_new"),
    "forget_samples": (64, "64"),
    "original": ("0f" * 32, "0f" * 32),
    "relearn_epochs": (20, "20"),
    "max_batch": (32, "32"),
}


def test_every_field_is_asked_about_here() -> None:
    assert OTHERS.keys() == FIELDS.keys() == QUERY_KEYS - {"a", "b"}
    assert all(each.default != OTHERS[name][0] for name, each in FIELDS.items())


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_survives_its_link(view: View) -> None:
    assert view_from_query(view.query()) == (view, [])


@pytest.mark.parametrize("name", OTHERS)
def test_every_field_is_read_and_written(name: str) -> None:
    value, text = OTHERS[name]
    view, notices = view_from_query({name: text})
    assert (view.scenario, notices) == (replace(Scenario(), **{name: value}), [])
    assert view.query()[name] == text
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


def test_every_combination_gives_a_page() -> None:
    for dataset, model, method in product(DATASETS, MODELS, METHODS):
        view, notices = view_from_query({"dataset": dataset, "model": model, "a": method})
        assert (view.scenario.dataset, view.scenario.model) == (dataset, model)
        assert view.a == Pick(method, variants_of(method, view.scenario)[0])
        assert view.b.variant in variants_of(view.b.method, view.scenario)
        assert notices == [], (dataset, model, method)
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
    "AB" * 32,
    "1e9",
    ":",
]


@pytest.mark.parametrize("name", FIELDS)
def test_a_hostile_value_gives_the_default_and_one_notice(name: str) -> None:
    for value in HOSTILE:
        if value == "42" and isinstance(FIELDS[name].kind, Number):
            continue
        view, notices = view_from_query({name: value})
        assert (view, len(notices)) == (DEFAULT, 1), value[:24]
        assert len(notices[0]) < 120
        assert value[:23] in notices[0]


def test_a_notice_says_what_there_is() -> None:
    bad = {"dataset": "x", "forget": "42", "seed": "12345", "given": "", "original": "a"}
    assert view_from_query(bad) == (
        DEFAULT,
        [
            "The link asks for dataset “x”, which does not exist here.",
            "The link asks to forget class “42”; there are classes 0 to 9.",
            "The link asks for seed “12345”; it must be between 0 and 9999.",
            "The link asks for given “”, which does not exist here.",
            "The link names a network “a”, which is no content hash.",
        ],
    )


BOUNDS = {
    "seed": (0, 9999),
    "forget_samples": (2, 100_000),
    "relearn_epochs": (1, 50),
    "max_batch": (8, 4096),
}


def test_numbers_are_taken_up_to_their_bounds() -> None:
    assert BOUNDS.keys() == {n for n, each in FIELDS.items() if isinstance(each.kind, Number)}
    for name, (low, high) in BOUNDS.items():
        for value in (low, high):
            view, notices = view_from_query({name: str(value)})
            assert (getattr(view.scenario, name), notices) == (value, [])
        for value in (low - 1, high + 1):
            view, notices = view_from_query({name: str(value)})
            assert (view, len(notices)) == (DEFAULT, 1)
            assert f"{name} “{value}”; it must be between {low} and {high}" in notices[0]
    assert view_from_query({"seed": "0042"})[0].scenario.seed == 42


def test_a_hostile_method_gives_the_default_and_one_notice() -> None:
    methods = [value for value in HOSTILE if value not in ("pru:", ":")]
    for name, model, value in product("ab", MODELS, methods):
        expected, _ = view_from_query({"model": model})
        for hostile in (value, f"{value}:tuned"):
            view, notices = view_from_query({name: hostile, "model": model})
            assert (view, len(notices)) == (expected, 1), (name, model, value[:24])
            assert "does not exist here" in notices[0]


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_variant_gives_the_preferred_one_and_one_notice(method: str) -> None:
    preferred = variants_of(method, DEFAULT.scenario)[0]
    for variant in ("42", "<script>", "x" * 100_000, "tuned:tuned", "TUNED"):
        view, notices = view_from_query({"a": f"{method}:{variant}"})
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
    view, notices = view_from_query(dict.fromkeys(QUERY_KEYS, "<script>"))
    assert view == DEFAULT
    assert len(notices) == len(QUERY_KEYS)


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


def test_the_data_set_decides_which_classes_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "small", SimpleNamespace(class_names=("a", "b", "c")))
    for text, classes, told in ((None, (0,), 0), ("2", (2,), 0), ("3", (0,), 1)):
        asked = {} if text is None else {"forget": text}
        view, notices = view_from_query({"dataset": "small", **asked})
        assert (view.scenario.forget, len(notices)) == (classes, told)
        assert all("there are classes 0 to 2." in notice for notice in notices)
        assert view_from_query(view.query()) == (view, [])
    assert view_from_query({"dataset": "cifar100", "forget": "97"})[0].scenario.forget == (97,)


def test_fields_that_came_later_leave_older_keys_alone() -> None:
    assert set(Scenario().content()) == {"dataset", "model", "forget", "preset", "seed"}


def configs() -> Iterator[RunConfig]:
    """Configurations of which each differs from the first in one thing."""
    yield (base := RunConfig(Scenario(), Pick("pru", "paper")))
    for name, (value, _) in OTHERS.items():
        yield replace(base, scenario=replace(base.scenario, **{name: value}))
    yield replace(base, scenario=replace(base.scenario, forget=(8,)))
    yield replace(base, pick=Pick("pru", "released"))
    yield replace(base, pick=Pick("boundary_shrink", "paper"))


def test_a_configuration_survives_json() -> None:
    for config in configs():
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
