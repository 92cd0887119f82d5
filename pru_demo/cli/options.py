"""Options that several commands share, and what they stand for."""

import argparse
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from pru_demo.config import FIELDS, Pick, RunConfig, Scenario, variants_of
from pru_demo.fields import BadValue, Classes, Field, Number, OneOf
from pru_demo.knobs import Value, as_value
from pru_demo.links import read_scenario, turned
from pru_demo.methods import METHODS

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command is added."""


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Everything that :func:`configs_of` reads, and where the results go."""
    add_scenario_options(parser, FIELDS)
    parser.add_argument(
        "--methods",
        default="pru,boundary_shrink",
        help="comma-separated, each METHOD or METHOD:VARIANT; methods: " + ", ".join(METHODS),
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="METHOD.PARAMETER=VALUE",
        help="another value than the variant has, as in pru.lambda_s=0.3; may be repeated. Several "
        "values of one method beside each other: --methods pru:paper,pru:paper+lambda_s=0",
    )
    parser.add_argument(
        "--checkpoint", type=Path, help="forget in your own network: its safetensors"
    )
    parser.add_argument("--json", type=Path, help="write the summary to this file")


def add_scenario_options(parser: argparse.ArgumentParser, names: Collection[str]) -> None:
    """What :func:`scenario_of` reads: an option for each of the fields ``names`` that has words."""
    for name in names:
        if (each := FIELDS[name]).label:
            options = list(each.kind.options) if isinstance(each.kind, OneOf) else None
            parser.add_argument(_option(name), choices=options, help=_help(each))


def scenario_of(options: argparse.Namespace) -> Scenario:
    """The scenario that was asked for. Raises ValueError with a sentence for each bad value."""
    given = {name: text for name, text in vars(options).items() if text is not None}
    scenario, objections = read_scenario(given, _option)
    if objections:
        raise ValueError(" ".join(f"The command {each}" for each in objections))
    return scenario


def seeds_of(text: str) -> tuple[int, ...]:
    """Several seeds, comma-separated. Raises ValueError with a sentence for a bad one."""
    try:
        seeds = (FIELDS["seed"].kind.read(part, "--seeds", "") for part in text.split(","))
        return tuple(dict.fromkeys(seeds))
    except BadValue as problem:
        raise ValueError(f"The command {problem}") from problem


def configs_of(options: argparse.Namespace) -> list[RunConfig]:
    """The runs that were asked for. Raises ValueError with a sentence for what does not exist."""
    scenario = scenario_of(options)
    picks = _picks(options.methods, _settings(options.set), scenario)
    if options.checkpoint:
        from pru_demo.experiment.originals import import_checkpoint
        from pru_demo.store import default_store_directory

        kept = default_store_directory().parent / "originals"
        digest = import_checkpoint(options.checkpoint, scenario.dataset, scenario.model, kept)
        scenario = replace(scenario, original=digest)
    return [RunConfig(scenario, pick) for pick in picks]


def _settings(texts: Collection[str]) -> dict[str, dict[str, Value]]:
    """What ``--set`` asks for: values by parameter, by method."""
    asked: dict[str, dict[str, Value]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        method, dot, parameter = target.partition(".")
        if not (equals and dot):
            raise ValueError(
                f"--set takes METHOD.PARAMETER=VALUE, as in pru.lambda_s=0.3, not “{text}”."
            )
        asked.setdefault(method, {})[parameter] = as_value(value)
    return asked


def _picks(text: str, asked: Mapping[str, Mapping[str, Value]], scenario: Scenario) -> list[Pick]:
    """The methods named in ``text``, each with what is ``asked`` of it."""
    picks = [_pick(part, asked, scenario) for part in text.split(",")]
    if absent := asked.keys() - {pick.method for pick in picks}:
        raise ValueError(f"--set names {absent.pop()}, which is not among --methods {text}.")
    return picks


def _pick(text: str, asked: Mapping[str, Mapping[str, Value]], scenario: Scenario) -> Pick:
    pick = Pick.parse(text)
    if pick.method not in METHODS:
        raise ValueError(f"There is no method {pick.method!r}; there are {', '.join(METHODS)}.")
    available = variants_of(pick.method, scenario)
    if pick.variant and pick.variant not in available:
        raise ValueError(
            f"{pick.method} has the variants {', '.join(available)}, not {pick.variant!r}."
        )
    chosen, objections = turned(
        replace(pick, variant=pick.variant or available[0]),
        asked.get(pick.method, {}),
        scenario,
        lambda name: f"{pick.method}.{name}",
    )
    if objections:
        raise ValueError(" ".join(f"The command {each}" for each in objections))
    return chosen


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _help(each: Field) -> str:
    words = f"{each.label}. {each.help or ''}".replace("**", "").replace("%", "%%")
    match each.kind:
        case Number(low, high):
            words += f" {low} to {high}."
        case Classes():
            words += " Several are comma-separated; at least two must be left."
    if each.default is not None:
        words += f" Default: {each.kind.write(each.default)}."
    return words
