"""Where the files that ship with the application lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
RECORDS = ASSETS / "records"
CHECKPOINTS = ASSETS / "checkpoints"
