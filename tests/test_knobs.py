"""A knob takes what its parameter may be, and nothing else, whatever a stranger typed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

import pytest

from pru_demo.fields import BadValue
from pru_demo.knobs import (
    WORDS,
    Choice,
    Knob,
    OutOfBounds,
    Span,
    Value,
    as_value,
    checked_changes,
    knobs_of,
    words_of,
    written,
)
from pru_demo.methods import METHODS
from pru_demo.parameters import FineTuningParams, NoParams, Params, PRUParams, RetrainParams

RATE, EPOCHS = Span(0.0, 1.0, whole=False), Span(1, 50, whole=True)
ATTACK, FLAG = Choice(("fgsm", "pgd")), Choice((False, True))


def all_params() -> Iterator[Params]:
    """Those of every method's preferred variant on a pair that nobody thought of."""
    for method in METHODS.values():
        yield next(iter(method.values.of("", "").values())).params


def values_of(knob: Knob) -> tuple[Value, ...]:
    """Its ends, or its choices."""
    return (knob.low, knob.high) if isinstance(knob, Span) else knob.options


def test_every_parameter_can_be_turned_but_for_where_retrain_starts() -> None:
    for params in all_params():
        fixed = {each.name for each in fields(params)} - knobs_of(params).keys()
        assert fixed == ({"start"} if isinstance(params, RetrainParams) else set())


def test_a_knob_has_the_bounds_and_choices_of_its_parameter() -> None:
    for params in all_params():
        for name, knob in knobs_of(params).items():
            for value in values_of(knob):
                assert getattr(replace(params, **{name: value}), name) == value
            if isinstance(knob, Span):
                with pytest.raises(ValueError, match=name):
                    replace(params, **{name: knob.high + 1})
    assert knobs_of(NoParams()) == {}


def test_a_knob_knows_whole_numbers() -> None:
    whole = {name for name, knob in knobs_of(PRUParams(0.1, 0.1)).items() if knob_is_whole(knob)}
    rehearsal = {"rehearsal_pool", "rehearsal_combined"}
    assert whole == {"epochs", "batch_size", "batch_norm_updates", *rehearsal}


def knob_is_whole(knob: Knob) -> bool:
    return isinstance(knob, Span) and knob.whole


def test_what_is_shared_by_keyword_stands_last() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Shared:
        pool: int = field(default=0, metadata={"bounds": (0, 9)})

    @dataclass(frozen=True)
    class Own(Shared, FineTuningParams):
        share: float = field(default=0.5, metadata={"bounds": (0.0, 1.0)})

    names = [name for name in knobs_of(Own(0.1)) if not name.startswith("rehearsal")]
    assert names == ["learning_rate", "epochs", "batch_size", "momentum", "share", "pool"]


def test_words_are_of_parameters_that_exist_and_others_keep_their_name() -> None:
    known = {name for params in all_params() for name in knobs_of(params)}
    assert WORDS.keys() <= known
    assert words_of("rehearsed_by_nobody").symbol == "rehearsed by nobody"
    assert words_of("lambda_s").symbol == "λ_s"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.3, "0.3"), (1e-5, "1e-05"), (2.0, "2"), (5, "5"), (True, "true"), ("pgd", "pgd")],
)
def test_a_value_is_read_as_it_is_written(value: Value, text: str) -> None:
    assert written(value) == text
    assert as_value(text) == value
    assert isinstance(as_value(text), bool) == isinstance(value, bool)


@pytest.mark.parametrize(
    "text",
    ["nan", "inf", "-Infinity", "1e999", "1_0", "٣", "0x1", " 1", "1,5", "9" * 5000, "", "."],
)
def test_what_is_no_number_stays_text_and_turns_nothing(text: str) -> None:
    assert as_value(text) == text
    for knob in (RATE, EPOCHS, ATTACK, FLAG):
        with pytest.raises(BadValue) as raised:
            knob.checked(as_value(text), "x")
        assert not isinstance(raised.value, OutOfBounds)
        assert len(str(raised.value)) < 120


def test_numbers_are_taken_up_to_their_bounds_and_beyond_is_the_nearest() -> None:
    for knob, low, high in ((RATE, 0.0, 1.0), (EPOCHS, 1, 50)):
        assert [knob.checked(value, "x") for value in (low, high)] == [low, high]
        for value, nearest in ((low - 1, low), (high + 1, high), (10**400, high)):
            with pytest.raises(OutOfBounds) as raised:
                knob.checked(value, "x")
            assert raised.value.nearest == nearest


def test_a_value_gets_the_type_of_its_parameter() -> None:
    for value in (RATE.checked(1, "x"), EPOCHS.checked(3.0, "x")):
        assert type(value) is (float if value == 1 else int)


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        (EPOCHS, 2.5),
        (EPOCHS, True),
        (EPOCHS, float("inf")),
        (RATE, float("nan")),
        (RATE, "0.5"),
        (RATE, None),
        (ATTACK, "FGSM"),
        (FLAG, 1),
        (FLAG, "yes"),
    ],
)
def test_what_is_no_value_of_it_is_refused(knob: Knob, value: Value) -> None:
    with pytest.raises(BadValue):
        knob.checked(value, "x")


def test_what_can_be_is_taken_and_all_else_is_named_in_a_sentence() -> None:
    knobs = {"rate": RATE, "epochs": EPOCHS, "attack": ATTACK, "other": FLAG}
    asked: dict[str, Value] = {"rate": 7, "epochs": 3, "attack": "x", "gone": 1}
    values, objections = checked_changes(knobs, asked, "a.{}".format)
    assert values == {"rate": 1.0, "epochs": 3}
    assert list(map(str, objections)) == [
        "asks for a.rate “7”; it must be a number from 0 to 1.",
        "asks for a.attack “x”; it must be fgsm or pgd.",
        "asks for “a.gone”, but there are rate, epochs, attack, other.",
    ]
    assert str(checked_changes({}, {"rate": 1})[1][0]) == (
        "asks for “rate”, but there is nothing to set."
    )
