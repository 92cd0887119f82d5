"""Imports point one way, and the web process never pays for torch (design, section 3)."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pru_demo.paths import ROOT

PACKAGE = ROOT / "pru_demo"
# Pages are run by Streamlit, and so is the script that frames them; the other runs the CLI.
SCRIPTS = {"pru_demo.ui.main", "pru_demo.__main__"}
# The modules that are diskcache's: who needs the store imports them when the store is opened.
NEEDS_DISKCACHE = {"pru_demo.store.local_entries", "pru_demo.store.index"}
# Imported by an engine process that was asked for Ray's workers, which are an extra.
NEEDS_RAY = {"pru_demo.jobs.ray_workers"}

# From the facts upwards: a part imports only from those before it, also inside functions.
LEVELS = (
    ("paths", "files", "heartbeat", "device", "parameters"),
    ("data",),
    ("models", "fields"),
    ("settings", "knobs"),
    ("training",),
    ("methods",),
    ("config",),
    ("links",),
    ("api",),
    ("evaluation",),
    ("projection",),
    ("store",),
    ("jobs",),
    ("experiment",),
    ("paper",),
    ("figures",),
    ("ui", "cli"),
)
LEVEL = {part: level for level, parts in enumerate(LEVELS) for part in parts}
DRAWS = {"figures", "ui"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
PAGES = {module_name(path): path for path in sorted((ROOT / "pages").rglob("*.py"))}
LIBRARY = sorted(MODULES.keys() - SCRIPTS)


def part_of(module: str) -> str:
    """``pru_demo.store.index`` → ``store``."""
    return [*module.split("."), ""][1]


def imported(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, wherever in it, also for type checking only."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    return name.partition(".")[0]


def run_python(code: str, tmp_path: Path) -> Any:
    """The JSON that ``code`` prints last in a fresh process."""
    environment = {**os.environ, "PRU_STORE_DIR": str(tmp_path / "store"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_tree_is_seen() -> None:
    parts = {part_of(name) for name in MODULES} - {"", "__main__"}
    assert parts == set(LEVEL), "every part of the package has its level"


def test_imports_are_seen_wherever_they_are() -> None:
    path = PACKAGE / "experiment" / "run.py"
    assert {"torch", "pru_demo.config.RunConfig", "dataclasses.replace"} <= set(imported(path))
    lazy = PACKAGE / "data" / "__init__.py"
    assert "pru_demo.data.samples.Dataset" in set(imported(lazy))


def test_imports_point_one_way() -> None:
    wrong = [
        f"{name} imports {each}"
        for name, path in MODULES.items()
        for each in imported(path)
        if part_of(name) in LEVEL
        and top(each) == "pru_demo"
        and part_of(each) != part_of(name)
        and LEVEL.get(part_of(each), len(LEVELS)) >= LEVEL[part_of(name)]
    ]
    assert wrong == []


def test_nothing_in_the_package_imports_pages_or_the_app() -> None:
    wrong = [n for n, path in MODULES.items() if {"pages", "app"} & set(map(top, imported(path)))]
    assert wrong == []


def test_streamlit_is_imported_by_the_user_interface_only() -> None:
    users = {part_of(n) for n, path in MODULES.items() if "streamlit" in map(top, imported(path))}
    assert users == {"ui"}


def test_what_draws_never_imports_torch() -> None:
    drawing = {name: path for name, path in MODULES.items() if part_of(name) in DRAWS}
    heavy = {"torch", "umap", "sklearn", "safetensors"}
    for path in (*PAGES.values(), *drawing.values(), ROOT / "app.py"):
        assert not heavy & set(map(top, imported(path))), path


def test_a_page_imports_neither_training_nor_another_page() -> None:
    parts = ("training", "evaluation.relearning", "models.split")
    heavy = tuple(f"pru_demo.{each}." for each in parts)
    for path in PAGES.values():
        names = set(imported(path))
        assert "pages" not in set(map(top, names)), path
        assert not [each for each in names if f"{each}.".startswith(heavy)], path


# What a package is called where it is installed from, if not as it is imported.
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "umap": "umap-learn"}


def test_everything_that_is_imported_is_in_the_requirements() -> None:
    files = (ROOT / name for name in ("requirements.txt", "requirements-cluster.txt"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    required = {re.split(r"[\[>=<~! #]", line)[0] for line in lines}
    imports = {
        top(each) for path in (*MODULES.values(), *PAGES.values()) for each in imported(path)
    }
    imports |= set(map(top, imported(ROOT / "app.py")))
    foreign = imports - set(sys.stdlib_module_names) - {"pru_demo"}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} <= required


BLOCKER = """
import importlib, json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
failed = []
for name in MODULES:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        failed.append(f"{name}: {error}")
print(json.dumps(failed))
"""


def blocked(modules: list[str], libraries: set[str]) -> str:
    return f"BLOCKED = {libraries!r}\nMODULES = {modules!r}\n{BLOCKER}"


def test_the_engine_imports_without_the_libraries_of_pages_and_stores(tmp_path: Path) -> None:
    engine = [
        name
        for name in LIBRARY
        if part_of(name) not in DRAWS and name not in NEEDS_DISKCACHE | NEEDS_RAY
    ]
    libraries = {"streamlit", "plotly", "umap", "diskcache", "ray"}
    assert run_python(blocked(engine, libraries), tmp_path) == []


def test_the_import_blocker_blocks(tmp_path: Path) -> None:
    failed = run_python(blocked(sorted(NEEDS_DISKCACHE), {"diskcache"}), tmp_path)
    assert failed == [f"{name}: No module named 'diskcache'" for name in sorted(NEEDS_DISKCACHE)]


# What the web process imports: all that draws, and the registries and records that it reads.
LIGHT = [
    name for name in LIBRARY if part_of(name) in ("", "figures", "ui", "paper", "config", "links")
]
LIGHT += [f"pru_demo.{name}" for name in ("data", "data.places", "data.own", "data.digits")]
LIGHT += [f"pru_demo.{name}" for name in ("models", "methods", "settings", "projection", "store")]
LIGHT += ["pru_demo.evaluation.destinations", "pru_demo.jobs.client"]
LIGHT += [f"pru_demo.experiment.{name}" for name in ("record", "maps", "tasks")]
HEAVY = {"torch", "umap", "sklearn", "numba"}


def test_the_web_process_imports_neither_torch_nor_umap(tmp_path: Path) -> None:
    code = (
        "import importlib, json, sys\n"
        "found = []\n"
        f"for name in {LIGHT!r}:\n"
        "    importlib.import_module(name)\n"
        f"    found += [f'{{name}} imports {{h}}' for h in {sorted(HEAVY)!r} if h in sys.modules]\n"
        "print(json.dumps(found[:3]))"
    )
    assert run_python(code, tmp_path) == []
