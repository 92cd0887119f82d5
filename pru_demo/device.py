"""Where tensors live: a GPU when there is one, else the CPU."""

import os
import platform
import resource
import sys

import torch

ENVIRONMENT_VARIABLE = "PRU_DEVICE"


def choose_device() -> torch.device:
    """The device of ``PRU_DEVICE`` if set, else the first GPU, else the CPU.

    On a CPU, numbers too small for normal floats become zero from here on, which made unlearning
    8 % faster (``benchmarks/flush_denormals.py``).

    Raises ValueError with a sentence when ``PRU_DEVICE`` names a device this machine lacks.
    """
    # Before the first parallel operation, because torch's threads inherit it when they start.
    torch.set_flush_denormal(True)
    wanted = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if not wanted:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"{ENVIRONMENT_VARIABLE}={wanted!r} is not a device of this machine. "
            "Use cpu or cuda, or leave it unset."
        ) from error
    return device


def describe(device: torch.device) -> str:
    """The device in words, for records: ``NVIDIA H200`` or ``CPU (x86_64, 2 threads)``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def peak_bytes(device: torch.device) -> int:
    """The most memory that this process has used so far: on the GPU, or in main memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
