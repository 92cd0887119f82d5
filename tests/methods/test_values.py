"""Every value says where it comes from, and says "published" only of what is."""

import json
from dataclasses import asdict, replace
from itertools import product

import pytest

from pru_demo import settings as values
from pru_demo.data.published import PUBLISHED
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.parameters import (
    BoundaryExpandingParams,
    BoundaryShrinkParams,
    FineTuningParams,
    NoParams,
    PRUParams,
    RetrainParams,
    SCRUBParams,
    SpotterParams,
    UnrollParams,
)
from pru_demo.paths import ROOT
from pru_demo.settings import GIVEN, ORIGINALS, Setting, Values, original_setting

Pair = tuple[str, str]
PAIRS = [(dataset, model) for dataset in PUBLISHED for model in MODELS]
ABLATIONS = {"no_lp", "cross_entropy", "no_lo", "no_ls"}

# Supplementary, Tables 1 and 4, and Table 2: (epochs, learning rates of E and of C).
TABLE_1_AND_4 = {
    ("mnist", "allcnn"): (10, 5e-3, 1e-1),
    ("cifar10", "allcnn"): (10, 1e-2, 1e-5),
    ("cifar10", "resnet18"): (10, 4e-4, 1e-4),
    ("cifar10", "vit-b16"): (1, 1e-3, 1e-2),
}
TABLE_2 = {
    ("mnist", "allcnn"): (10, 1e-2, 1e-1),
    ("cifar10", "allcnn"): (10, 7e-2, 1e-1),
    ("cifar10", "resnet18"): (10, 1e-4, 1e-2),
}


def is_published(setting: Setting) -> bool:
    """Whether its origin claims that the values were published for this very pair."""
    return setting.origin.removeprefix("Table 4 on the released code; values ").startswith(
        "published"
    )


def test_every_pair_has_variants_and_every_variant_an_origin() -> None:
    for name, pair, given in product(METHODS, PAIRS, GIVEN):
        variants = METHODS[name].values.of(*pair, given)
        assert variants, (name, pair, given)
        assert all(setting.origin for setting in variants.values()), (name, pair, given)


@pytest.mark.parametrize(
    ("given", "table"), [("D_f", TABLE_1_AND_4), ("D_f_new", TABLE_2)], ids=["D_f", "D_f_new"]
)
def test_published_values_of_pru_are_those_of_the_supplementary_and_no_others(
    given: str, table: dict[Pair, tuple[int, float, float]]
) -> None:
    published = {}
    for pair in PAIRS:
        variants = values.PRU.of(*pair, given)
        claims = {name for name, setting in variants.items() if is_published(setting)}
        if claims:
            assert claims == {"paper", "released", *ABLATIONS}
            rates = {
                (params.epochs, params.learning_rate_E, params.learning_rate_C)
                for name in claims
                if isinstance(params := variants[name].params, PRUParams)
            }
            (published[pair],) = rates
    assert published == table


def test_a_lent_row_has_the_numbers_of_the_row_that_it_names() -> None:
    settings = [
        s for pair in PAIRS for given in GIVEN for s in values.PRU.of(*pair, given).values()
    ]
    for setting in settings:
        _, lent, source = setting.origin.partition("lent from ")
        if not lent or source.startswith("D_f "):
            continue
        dataset, model, *_ = source.split()
        table = TABLE_2 if "Table 2" in source else TABLE_1_AND_4
        params = setting.params
        assert isinstance(params, PRUParams)
        epochs, *rates = table[dataset, model]
        assert [params.learning_rate_E, params.learning_rate_C] == rates, setting
        assert params.epochs in (epochs, 10), setting


def test_variants_of_pru_differ_in_what_their_names_say() -> None:
    for pair, given in product(PAIRS, GIVEN):
        variants = {name: setting.params for name, setting in values.PRU.of(*pair, given).items()}
        paper = variants["paper"]
        assert isinstance(paper, PRUParams)
        assert paper == PRUParams(paper.learning_rate_E, paper.learning_rate_C, paper.epochs)
        released = replace(paper, c_step_updates="extractor", lp_epsilon=1e-6, batch_norm_updates=2)
        assert variants["released"] == released, (pair, given)
        assert variants["no_lp"] == replace(released, lambda_p=0.0)
        assert variants["no_lo"] == replace(released, lambda_o=0.0)
        assert variants["no_ls"] == replace(released, lambda_s=0.0)
        assert variants["cross_entropy"] == replace(released, l_p_form="cross-entropy")


TUNED = (
    "pru",
    "boundary_shrink",
    "delete",
    "random_label",
    "negative_gradient",
    "salun",
    "unroll_of",
)


def test_only_the_small_network_on_mnist_was_tuned() -> None:
    tuned = {
        (name, pair)
        for name, method in METHODS.items()
        for pair in PAIRS
        for given in GIVEN
        if "tuned" in method.values.of(*pair, given)
    }
    assert tuned == {(name, ("mnist", "allcnn-small")) for name in TUNED}


ON_FIVE = ("pru:rehearsed", "pru:tuned", "delete:rehearsed", "delete:tuned")
ON_ONE = ("boundary_shrink", "random_label", "negative_gradient", "salun", "unroll_of")


def small(method: str, variant: str) -> Setting:
    return METHODS[method].values.of("mnist", "allcnn-small")[variant]


@pytest.mark.parametrize("pick", ON_FIVE)
def test_values_searched_on_five_classes_are_those_that_the_log_chose(pick: str) -> None:
    name = "benchmarks/results/search-mnist-allcnn-small.json"
    log = json.loads((ROOT / name).read_text())
    assert log["scenario"]["forget"] == [0, 1, 2, 3, 4]
    method, _, variant = pick.partition(":")
    setting = small(method, variant)
    # The search ran with the epochs of the classroom preset, which are those of what rehearses.
    now, then = asdict(setting.params), dict(log["chosen"][pick])
    assert (then.pop("epochs"), now["epochs"]) == (5, 5 if variant == "rehearsed" else 10)
    assert now.items() >= then.items()
    assert setting.origin == f"searched on classes 0–4: {name}"


@pytest.mark.parametrize("name", ON_ONE)
def test_older_tuned_values_are_those_that_the_search_on_class_0_chose(name: str) -> None:
    file = "benchmarks/results/search-mnist-allcnn-small-class-0.json"
    log = json.loads((ROOT / file).read_text())
    assert log["scenario"]["forget"] == [0]
    setting = small(name, "tuned")
    now, then = asdict(setting.params), dict(log["chosen"][name])
    # Unrolling does not count in epochs.
    if name != "unroll_of":
        assert (then.pop("epochs"), now["epochs"]) == (5, 10)
    assert now.items() >= then.items()
    assert setting.origin == f"searched on class 0: {file}"


def test_every_tuned_value_is_in_one_of_the_logs() -> None:
    assert {pick.partition(":")[0] for pick in ON_FIVE} | set(ON_ONE) == set(TUNED)


def test_boundary_unlearning_is_as_published_and_as_later_used() -> None:
    shrink = values.BOUNDARY_SHRINK.of("cifar10", "allcnn")
    assert [name for name in shrink if is_published(shrink[name])] == ["paper", "released"]
    paper = BoundaryShrinkParams(
        learning_rate=1e-5, epsilon=0.1, epochs=10, batch_size=64, momentum=0.9
    )
    assert shrink["paper"].params == paper
    assert shrink["released"].params == replace(paper, epsilon=0.25)
    later = replace(paper, learning_rate=5e-5, epochs=8, batch_size=128, attack="pgd")
    assert shrink["pgd"].params == later
    expand = values.BOUNDARY_EXPANDING.of("cifar10", "allcnn")
    assert [name for name in expand if is_published(expand[name])] == ["paper"]
    assert expand["paper"].params == BoundaryExpandingParams(1e-5, epochs=10, batch_size=64)
    assert expand["strong"].params == BoundaryExpandingParams(5e-4, epochs=8, batch_size=128)


def test_delete_and_scrub_are_as_published() -> None:
    paper = values.DELETE.of("cifar10", "resnet18")["paper"]
    assert paper.params == FineTuningParams(1e-4, epochs=20, momentum=0.9)
    assert "CIFAR-10 and ResNet18" in paper.origin
    notebook = SCRUBParams(
        learning_rate=5e-4,
        alpha=0.5,
        gamma=1.0,
        temperature=4.0,
        epochs=5,
        momentum=0.9,
        weight_decay=5e-4,
    )
    assert values.SCRUB.of("mnist", "allcnn")["released"].params == notebook


def test_spotter_has_the_values_of_its_notebook_and_names_their_pair() -> None:
    for pair in PAIRS:
        (setting,) = values.SPOTTER.of(*pair).values()
        assert setting.params == SpotterParams()
        assert "CIFAR-10 and ResNet18" in setting.origin


def test_baselines_without_published_values_do_not_claim_any() -> None:
    for name in ("random_label", "salun", "negative_gradient", "unroll", "unroll_of"):
        for pair in PAIRS:
            assert not any(is_published(s) for s in METHODS[name].values.of(*pair).values())


LATER = {
    "unroll": {
        "MNIST and AllCNN": (0.25, 0.05),
        "Fashion-MNIST and AllCNN": (0.1, 0.14),
        "CIFAR-10 and AllCNN": (0.2, 0.16),
        "CIFAR-10 and ResNet18": (0.02, 0.01),
    },
    "unroll_of": {
        "MNIST and AllCNN": (0.02, 0.02),
        "Fashion-MNIST and AllCNN": (0.005, 0.01),
        "CIFAR-10 and AllCNN": (0.1, 0.15),
        "CIFAR-10 and ResNet18": (0.05, 0.04),
    },
}


@pytest.mark.parametrize("name", LATER)
def test_unrolling_names_the_pair_for_which_its_values_were_found(name: str) -> None:
    rates = {}
    for pair in PAIRS:
        if later := METHODS[name].values.of(*pair).get("later"):
            assert isinstance(later.params, UnrollParams)
            origin, _, _ = later.origin.partition(";")
            _, _, place = origin.partition("later code for ")
            rates[place] = (later.params.learning_rate, later.params.sigma)
    assert rates == LATER[name]


def test_unroll_of_prefers_values_that_step_back_further_than_it_learned() -> None:
    for pair in PAIRS:
        preferred = next(iter(values.UNROLL_OF.of(*pair).values())).params
        assert isinstance(preferred, UnrollParams)
        assert preferred.sigma > preferred.learning_rate


def test_retrain_has_the_settings_of_the_original() -> None:
    for pair in PAIRS:
        original = original_setting(*pair)
        (setting,) = values.RETRAIN.of(*pair).values()
        params = setting.params
        assert isinstance(params, RetrainParams)
        assert setting.origin == original.origin
        for name in ("epochs", "learning_rate", "weight_decay", "batch_size"):
            assert getattr(params, name) == getattr(original.params, name), (pair, name)
        assert original.params.momentum == 0.9


def test_retrain_starts_where_the_original_started() -> None:
    starts = {model: values.RETRAIN.of("cifar10", model)["paper"].params for model in MODELS}
    assert {m: p.start for m, p in starts.items() if isinstance(p, RetrainParams) and p.start} == {
        "vit-b16": "vit-b16"
    }
    unknown = values.RETRAIN.of("", "")["paper"].params
    assert isinstance(unknown, RetrainParams)
    assert unknown.start == ""


def test_a_changed_setting_of_originals_reaches_retrain(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ORIGINALS["mnist", "allcnn"]
    changed = replace(row, params=replace(row.params, epochs=3, batch_size=16))
    monkeypatch.setitem(ORIGINALS, ("mnist", "allcnn"), changed)
    assert values.RETRAIN.of("mnist", "allcnn")["paper"].params == RetrainParams(0.01, 1e-4, 3, 16)


def test_new_images_have_a_row_of_their_own_only_where_there_is_one() -> None:
    one, other, new = (
        {"paper": Setting(PRUParams(rate, 0.1), "a test")} for rate in (0.1, 0.2, 0.3)
    )
    table = Values({("*", "*"): one, ("a", "b"): other}, on_new={("a", "b"): new})
    assert table.of("a", "b") is other
    assert table.of("a", "b", "D_f_new") is new
    assert table.of("a", "c", "D_f_new") is one
    assert Values({("*", "*"): one}).of("a", "b", "D_f_new") is one


def test_nothing_is_to_be_set_for_the_original() -> None:
    assert values.ORIGINAL.of("cifar10", "vit-b16")["paper"].params == NoParams()
