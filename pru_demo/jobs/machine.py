"""What this machine offers to jobs. No torch: that would cost the engine process seconds."""

import os
import subprocess


def gpus() -> list[str]:
    """What CUDA_VISIBLE_DEVICES is set to for one GPU each; empty where none is to be used."""
    if os.environ.get("PRU_DEVICE", "").startswith("cpu"):
        return []
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [each.strip() for each in chosen.split(",") if each.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(number) for number, line in enumerate(listed.stdout.splitlines()) if line.strip()]


def default_slots() -> int:
    """One job per GPU, or per two CPU cores."""
    return len(gpus()) or max(1, (os.cpu_count() or 1) // 2)


def described(slots: int) -> str:
    """This machine as far as durations depend on it, fit for a file name."""
    return f"{len(gpus())}-gpus-{os.cpu_count()}-cores-{slots}-slots"
