"""The networks that are to forget: shipped, kept from an earlier training, or trained now."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import torch

from pru_demo.config import Scenario
from pru_demo.data import DATASETS, load_dataset
from pru_demo.data.samples import Samples, augment_of
from pru_demo.data.splits import trial_split
from pru_demo.device import choose_device, describe
from pru_demo.models import build_model, checkpoint_name, start_pretrained
from pru_demo.models.checkpoints import (
    DamagedCheckpoint,
    halved,
    load_weights,
    read_checkpoint,
    save_checkpoint,
)
from pru_demo.models.predict import accuracy
from pru_demo.models.split import SplitModel
from pru_demo.paths import CHECKPOINTS
from pru_demo.settings import original_setting
from pru_demo.training import ForeignState, State, TrainedEpoch, restore_training, train

OnEpoch = Callable[[TrainedEpoch], None]


def obtain_original(
    scenario: Scenario, kept: Path, on_epoch: OnEpoch = lambda _: None
) -> SplitModel:
    """The original network of ``scenario`` on the chosen device.

    Looks in ``assets/checkpoints``, then in the directory ``kept``, and trains one into ``kept``
    if neither has it, calling ``on_epoch`` meanwhile. A network of one's own
    (``scenario.original``) is looked for only.

    Raises :class:`pru_demo.models.checkpoints.DamagedCheckpoint` when a file is there but bad, or
    when one's own network is not there.
    """
    dataset, model, seed = scenario.dataset, scenario.model, scenario.seed
    repair = f"Make it again with: python -m pru_demo train --dataset {dataset} --model {model}"
    if scenario.original:
        path = own_checkpoint(kept, scenario.original)
        repair = "Start the run again with --checkpoint and the file of the network."
    else:
        name = checkpoint_name(dataset, model, seed)
        there = next((d / name for d in (CHECKPOINTS, kept) if (d / name).exists()), None)
        path = there or train_original(dataset, model, seed, kept, on_epoch)
    network = build_model(model, DATASETS[dataset], seed=seed)
    weights, _ = read_checkpoint(path, repair)
    load_weights(network, weights, path.name, repair)
    return network.to(choose_device())


def own_checkpoint(kept: Path, digest: str) -> Path:
    """Where the network with this content hash is kept."""
    return kept / f"own-{digest}.safetensors"


def import_checkpoint(file: Path, dataset: str, model: str, kept: Path) -> str:
    """Copy a safetensors file of one's own into ``kept``; returns its content hash.

    Raises :class:`pru_demo.models.checkpoints.DamagedCheckpoint` when it cannot be read or does
    not fit the network ``model``.
    """
    repair = f"It must hold the weights of {model} for {dataset} under the names that train gives."
    weights, _ = read_checkpoint(file, repair)
    load_weights(build_model(model, DATASETS[dataset], seed=0), weights, file.name, repair)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    kept.mkdir(parents=True, exist_ok=True)
    save_checkpoint(own_checkpoint(kept, digest), weights, {"imported": file.name})
    return digest


def train_original(dataset: str, model: str, seed: int, directory: Path, on_epoch: OnEpoch) -> Path:
    """Train an original at the settings of the paper and write its checkpoint to ``directory``.

    After every epoch the state goes to a ``.partial`` file beside it, from which an interrupted
    training resumes with the same result (on the same kind of device).
    """
    device = choose_device()
    data = load_dataset(dataset).to(device)
    split = trial_split(len(data.train_images), seed)
    setting = original_setting(dataset, model)
    network = build_model(model, DATASETS[dataset], seed=seed).to(device)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / checkpoint_name(dataset, model, seed)
    partial = path.with_suffix(".partial")

    curve: list[dict[str, float]] = []
    state: State | None = None
    if partial.exists():
        repair = f"Delete it to start over: {partial}"
        state, note = read_checkpoint(partial, repair)
        curve = note["curve"]
        try:
            restore_training(state, network)
        except ForeignState as error:
            raise DamagedCheckpoint(f"{partial.name} is of another network. {repair}") from error
    else:
        start_pretrained(model, network)

    index = torch.from_numpy(split.train).to(device)
    held_out = torch.from_numpy(split.validation).to(device)
    started = time.perf_counter()
    for epoch in train(
        network,
        Samples(data.train_images[index], data.train_labels[index], augment_of(dataset)),
        setting.params,
        seed=seed,
        done_epochs=len(curve),
        state=state,
    ):
        correct = accuracy(network, data.train_images[held_out], data.train_labels[held_out])
        now = time.perf_counter()
        curve.append({"loss": epoch.loss, "validation_accuracy": correct, "seconds": now - started})
        started = now
        resumable = {name: tensor.contiguous() for name, tensor in epoch.state.items()}
        save_checkpoint(partial, resumable, {"curve": curve})
        on_epoch(epoch)

    weights = halved(network.state_dict())
    network.load_state_dict(weights)
    note = {
        "dataset": dataset,
        "model": model,
        "seed": seed,
        "params": vars(setting.params),
        "origin": setting.origin,
        "curve": curve,
        "test_accuracy": accuracy(network, data.test_images, data.test_labels),
        "device": describe(device),
        "torch": torch.__version__,
    }
    save_checkpoint(path, weights, note)
    partial.unlink()
    return path
