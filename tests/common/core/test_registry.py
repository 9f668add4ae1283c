"""The registry: names, metadata, mistakes, other people's packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo.common.core import registry
from zoo.common.core.corpus import Corpus
from zoo.common.core.errors import ZooError, nearest
from zoo.common.core.metrics import DIRECTIONS
from zoo.common.presets import store
from zoo.common.presets.runs import read_json

AN4 = "speech/bilstm-ctc-an4"
CORPUS = Corpus("toy", "Toy", "CC0", "https://example.org", read=lambda folder, split: [])


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_entries", {})
    monkeypatch.setattr(registry, "_find_models", lambda: None)


@pytest.mark.parametrize("entry", registry.entries(), ids=lambda entry: entry.name)
def test_every_recipe_tells_what_a_person_wants_to_know(entry):
    assert entry.recipe().name == entry.name
    assert entry.metric in DIRECTIONS
    assert entry.recipe().task.metric in DIRECTIONS
    if entry.name in store.names():
        figures = read_json(store.ROOT / entry.name / store.METRICS_FILE)["figures"]
        assert {entry.metric, entry.recipe().task.metric} <= set(
            figures[entry.corpus.test_split]["metrics"]
        )
    assert entry.summary.endswith(".")
    assert "\n" not in entry.summary
    corpus = entry.corpus
    assert all((entry.paper, corpus.name, corpus.title, corpus.licence, corpus.train_split))
    assert corpus.source
    assert callable(corpus.read)


def test_patterns():
    assert AN4 in zoo.list_models("speech/*")
    assert zoo.list_models() == sorted(zoo.list_models())
    assert zoo.list_models("*/bilstm-ctc-an4") == [AN4]
    assert zoo.list_models("SPEECH/*") == []


def test_unknown_names_the_nearest():
    with pytest.raises(ZooError, match=f"no recipe 'speech/bilstm-an4'. Did you mean '{AN4}'"):
        registry.entry("speech/bilstm-an4")


def test_register(own_registry):
    @zoo.register("toy/one", paper="None", corpus=CORPUS, metric="wer")
    def one(name):
        """What it is.

        What it is for.
        """
        return f"recipe of {name}"

    entry = registry.entry("toy/one")
    assert (entry.summary, entry.description) == ("What it is.", "What it is for.")
    assert entry.recipe() == "recipe of toy/one"
    assert zoo.list_models() == ["toy/one"]


def test_a_name_is_taken_once(own_registry):
    first = registry.register("toy/one", paper="", corpus=CORPUS, metric="wer")(lambda name: 1)
    with pytest.raises(ZooError, match="'toy/one' is registered twice"):
        registry.register("toy/one", paper="", corpus=CORPUS, metric="wer")(lambda name: 2)
    assert registry.entry("toy/one").recipe() == first("toy/one") == 1


def test_nearest():
    assert nearest("layer", ["layers", "dropout"]) == "Did you mean 'layers'?"
    assert nearest("zzz", ["b", "a"]) == "Valid: 'a', 'b'."


PACKAGE = """
import zoo
from zoo.common.core.corpus import Corpus

corpus = Corpus("toy", "Toy", "CC0", "https://example.org", read=lambda folder, split: [])


@zoo.register("toy/one", paper="None", corpus=corpus, metric="wer")
def one(name):
    "A toy."
"""
LIST = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
import zoo
print(*zoo.list_models(), sep="\\n")
"""


def installed(folder: Path, name: str, source: str) -> None:
    """A package that adds models, as pip leaves it in a folder of packages."""
    (folder / f"{name}.py").write_text(source)
    information = folder / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[zoo.models]\nmodels = {name}\n")


def test_models_of_other_packages_are_found_and_a_broken_package_stops_none(tmp_path):
    """Without TensorFlow: to list is not to load."""
    installed(tmp_path, "toys", PACKAGE)
    installed(tmp_path, "broken", "raise RuntimeError('two\\nlines')")
    paths = os.pathsep.join([str(tmp_path), str(Path(zoo.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.stdout.split() == sorted([*zoo.list_models(), "toy/one"])
    assert done.stderr == (
        "Not usable: the package 'broken', which adds models: RuntimeError: two lines\n"
    )
