"""Listing data sets costs next to nothing and says what networks and pages must know."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pru_demo.data import DATASETS, available, how_to_get, load_dataset, location, note_of
from pru_demo.data.own import FEWEST_CLASSES, MOST_CLASSES
from pru_demo.data.places import data_directory
from pru_demo.data.published import PUBLISHED
from pru_demo.paths import ASSETS, ROOT
from tests.data.files import encoded, random_images, write_class_folders


def in_fresh_process(code: str, directory: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"import sys\nfrom pru_demo.data import *\n{code}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PRU_DATA_DIR": str(directory)},
        timeout=120,
        check=True,
    )


LOADED = "print(*({'torch', 'pyarrow', 'PIL'} & set(sys.modules)))"


def test_listing_imports_neither_torch_nor_pyarrow_nor_pillow(tmp_path: Path) -> None:
    listing = "for name in DATASETS: available(name), how_to_get(name), note_of(name)"
    done = in_fresh_process(f"{listing}\n{LOADED}", tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_reading_images_imports_no_torch(tmp_path: Path) -> None:
    done = in_fresh_process(f"read_part('mnist', 'test')\n{LOADED}", tmp_path)
    assert done.stdout.strip() == ""


def test_a_data_set_of_ones_own_is_known_from_the_start(tmp_path: Path) -> None:
    picture = encoded(random_images(1, 3, 16)[0])
    for part in ("train", "test"):
        write_class_folders(tmp_path / "mine", part, {c: [picture] for c in "abc"})
    code = (
        "print(*DATASETS)\nprint(available('mine'), location('mine'))\n"
        f"{LOADED}\nprint(*read_part('mine', 'train')[0].shape)"
    )
    names, place, loaded, shape = in_fresh_process(code, tmp_path).stdout.splitlines()
    assert names.split() == [*PUBLISHED, "mine"]
    assert place == f"True {tmp_path / 'mine'}"
    assert loaded == "PIL"
    assert shape == "3 3 16 16"


def test_a_data_directory_that_does_not_exist_is_said_and_mnist_goes_on(tmp_path: Path) -> None:
    done = in_fresh_process("print(len(read_part('mnist', 'test')[0]))", tmp_path / "nowhere")
    assert done.stdout.strip() == "10000"
    assert done.stderr.strip() == (
        f"PRU_DATA_DIR names {tmp_path / 'nowhere'}, which is not a folder: create it, or change "
        "or unset the variable."
    )


def test_the_default_data_directory_need_not_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PRU_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_directory().parts[-2:] == ("pru-demo", "data")
    assert how_to_get("kmnist").startswith("Kuzushiji-MNIST is not here")


@pytest.mark.parametrize("name", DATASETS)
def test_facts_fit_together(name: str) -> None:
    spec = DATASETS[name]
    assert spec.channels in (1, 3)
    assert spec.image_size % 4 == 0
    assert FEWEST_CLASSES <= len(spec.class_names) == len(set(spec.class_names)) <= MOST_CLASSES
    assert all(0 < len(class_name) <= 40 for class_name in spec.class_names)
    for moments in (spec.mean, spec.std):
        assert moments is None or len(moments) == spec.channels
    assert not spec.drawable or (spec.channels, spec.image_size) == (1, 28)
    assert not spec.white_ink or spec.channels == 1


def test_classes_are_as_published() -> None:
    assert [len(DATASETS[name].class_names) for name in PUBLISHED] == [10, 10, 10, 10, 100]
    hundred = DATASETS["cifar100"].class_names
    assert list(hundred) == sorted(hundred)
    assert (hundred[0], hundred[49], hundred[99]) == ("apple", "mountain", "worm")
    assert DATASETS["cifar10"].class_names[9] == "truck"
    assert [name for name, spec in DATASETS.items() if spec.drawable] == ["mnist"]


def test_what_ships_is_always_available(directory: Path) -> None:
    assert available("mnist")
    assert location("mnist") == ASSETS / "data" / "mnist"
    assert note_of("mnist") == ""
    assert load_dataset("mnist").train_images.shape == (60_000, 1, 28, 28)
