"""A store and an engine of its own for every test of a page."""

import importlib
import pkgutil
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import streamlit as st

import pru_demo.ui
from pru_demo.paths import RECORDS
from pru_demo.store import Store
from tests.pages.fake_engine import FakeEngine

UseStore = Callable[[Store], None]


@pytest.fixture(scope="session")
def ui_modules(tmp_path_factory: pytest.TempPathFactory) -> list[ModuleType]:
    """All of the user interface but its script; the process's own store stays in a test folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRU_STORE_DIR", str(tmp_path_factory.mktemp("process") / "store"))
        found = pkgutil.walk_packages(pru_demo.ui.__path__, "pru_demo.ui.")
        names = [module.name for module in found if module.name != "pru_demo.ui.main"]
        return [importlib.import_module(name) for name in names]


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    """Nothing that an earlier test decoded or loaded."""
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def use_store(ui_modules: list[ModuleType], monkeypatch: pytest.MonkeyPatch) -> UseStore:
    """Let all pages read another store."""

    def use(store: Store) -> None:
        for module in ui_modules:
            if hasattr(module, "STORE"):
                monkeypatch.setattr(module, "STORE", store)

    return use


@pytest.fixture
def store(tmp_path: Path, use_store: UseStore) -> Iterator[Store]:
    """An empty store above the bundled records, which all pages read."""
    store = Store(tmp_path / "store", RECORDS)
    use_store(store)
    yield store
    store.close()


@pytest.fixture
def engine(ui_modules: list[ModuleType], monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine that all pages submit to."""
    engine = FakeEngine()
    for module in ui_modules:
        if hasattr(module, "ENGINE"):
            monkeypatch.setattr(module, "ENGINE", engine)
    return engine


@pytest.fixture(autouse=True)
def alone(store: Store, engine: FakeEngine) -> None:
    """No test reads what others stored, and none starts the engine."""


@pytest.fixture
def own_records(tmp_path: Path, use_store: UseStore) -> Callable[[Callable[[Path], None]], Store]:
    """``own_records(change)``: pages read a copy of the bundle that ``change`` was called on."""

    def make(change: Callable[[Path], None]) -> Store:
        copy = tmp_path / "records"
        shutil.copytree(RECORDS, copy)
        change(copy)
        store = Store(tmp_path / "other-store", copy)
        use_store(store)
        return store

    return make
