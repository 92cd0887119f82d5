"""Options that several commands share, and what they stand for."""

import argparse
from dataclasses import replace
from pathlib import Path

from pru_demo.config import (
    MAX_RELEARN_EPOCHS,
    SMALLEST_BATCH,
    Pick,
    RunConfig,
    Scenario,
    variants_of,
)
from pru_demo.data import DATASETS
from pru_demo.methods import METHODS
from pru_demo.models import MODELS
from pru_demo.settings import GIVEN, PRESETS


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Everything that :func:`configs_of` reads, and where the results go."""
    add_scenario_options(parser)
    parser.add_argument(
        "--methods",
        default="pru,boundary_shrink",
        help="comma-separated, each METHOD or METHOD:VARIANT; methods: " + ", ".join(METHODS),
    )
    parser.add_argument(
        "--given", choices=GIVEN, default=Scenario().given, help="which images are forgotten with"
    )
    parser.add_argument("--forget-samples", type=int, help="use at most this many of them")
    parser.add_argument(
        "--relearn-epochs",
        type=int,
        default=Scenario().relearn_epochs,
        help=f"1 to {MAX_RELEARN_EPOCHS}; more go on from what is stored",
    )
    parser.add_argument(
        "--max-batch",
        type=int,
        help="batches of at most this many images, for a device short of memory",
    )
    parser.add_argument(
        "--checkpoint", type=Path, help="forget in your own network: its safetensors"
    )
    parser.add_argument("--json", type=Path, help="write the summary to this file")


def add_scenario_options(
    parser: argparse.ArgumentParser, *, forget: bool = True, preset: bool = True
) -> None:
    """What :func:`scenario_of` reads, of which some commands leave something to themselves."""
    default = Scenario()
    parser.add_argument("--dataset", choices=DATASETS, default=default.dataset)
    parser.add_argument("--model", choices=MODELS, default=default.model)
    parser.add_argument("--seed", type=int, default=default.seed)
    if preset:
        parser.add_argument("--preset", choices=PRESETS, default=default.preset)
    if forget:
        parser.add_argument(
            "--forget",
            type=lambda text: tuple(sorted({int(part) for part in text.split(",")})),
            default=default.forget,
            help="classes, comma-separated",
        )


def configs_of(options: argparse.Namespace) -> list[RunConfig]:
    """The runs that were asked for. Raises ValueError with a sentence for what does not exist."""
    scenario = replace(
        scenario_of(options),
        given=options.given,
        forget_samples=options.forget_samples,
        relearn_epochs=options.relearn_epochs,
        max_batch=options.max_batch,
    )
    if not 1 <= scenario.relearn_epochs <= MAX_RELEARN_EPOCHS:
        raise ValueError(f"--relearn-epochs must be between 1 and {MAX_RELEARN_EPOCHS}.")
    if scenario.max_batch is not None and scenario.max_batch < SMALLEST_BATCH:
        raise ValueError(f"--max-batch must be at least {SMALLEST_BATCH}.")
    if scenario.forget_samples is not None and scenario.forget_samples < 2:
        raise ValueError("--forget-samples must be at least 2.")
    picks = _picks(options.methods, scenario)
    if options.checkpoint:
        from pru_demo.experiment.originals import import_checkpoint
        from pru_demo.store import default_store_directory

        kept = default_store_directory().parent / "originals"
        digest = import_checkpoint(options.checkpoint, scenario.dataset, scenario.model, kept)
        scenario = replace(scenario, original=digest)
    return [RunConfig(scenario, pick) for pick in picks]


def scenario_of(options: argparse.Namespace) -> Scenario:
    """The scenario that was asked for. Raises ValueError with a sentence if it cannot be."""
    classes = len(DATASETS[options.dataset].class_names)
    if not options.forget or not set(options.forget) <= set(range(classes)):
        raise ValueError(f"--forget takes classes from 0 to {classes - 1}.")
    if len(options.forget) > classes - 2:
        raise ValueError("At least two classes must be left to redistribute to.")
    return Scenario(options.dataset, options.model, options.forget, options.preset, options.seed)


def _picks(text: str, scenario: Scenario) -> list[Pick]:
    picks = []
    for part in text.split(","):
        pick = Pick.parse(part)
        if pick.method not in METHODS:
            raise ValueError(f"There is no method {pick.method!r}; there are {', '.join(METHODS)}.")
        available = variants_of(pick.method, scenario)
        if pick.variant and pick.variant not in available:
            raise ValueError(
                f"{pick.method} has the variants {', '.join(available)}, not {pick.variant!r}."
            )
        picks.append(pick if pick.variant else Pick(pick.method, available[0]))
    return picks
