"""Test the registry: names, metadata, listings read from source, errors, and other packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo.common.core import registry, source_index
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
    monkeypatch.setattr(registry, "_module_of", dict)


@pytest.mark.parametrize("name", registry.names())
def test_every_recipe_has_metadata(name):
    entry = registry.entry(name)
    assert entry.recipe().name == entry.name
    assert entry.metric in DIRECTIONS
    assert entry.recipe().task.monitor in DIRECTIONS
    if entry.name in store.names():
        figures = read_json(store.ROOT / entry.name / store.METRICS_FILE)["figures"]
        assert {entry.metric, entry.recipe().task.monitor} <= set(
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


def test_the_error_about_an_unknown_name_has_the_nearest_name():
    with pytest.raises(ZooError, match=f"no recipe 'speech/bilstm-an4'. Did you mean '{AN4}'"):
        registry.entry("speech/bilstm-an4")


def test_a_recipe_without_a_corpus(own_registry):
    with pytest.raises(ZooError, match=r"corpus of 'toy/one' must be a Corpus\. Received: None"):
        zoo.register("toy/one", paper="None", corpus=None, metric="wer")


def test_a_recipe_that_raises(own_registry):
    @zoo.register("toy/one", paper="None", corpus=CORPUS, metric="wer")
    def toy(name):
        raise KeyError("size")

    with pytest.raises(ZooError, match=r"The recipe 'toy/one' is not usable: KeyError: 'size'"):
        registry.entry("toy/one").recipe()


def test_register(own_registry):
    @zoo.register("toy/one", paper="None", corpus=CORPUS, metric="wer")
    def one(name):
        """A summary.

        A description.
        """
        return f"recipe of {name}"

    entry = registry.entry("toy/one")
    assert (entry.summary, entry.description) == ("A summary.", "A description.")
    assert entry.recipe() == "recipe of toy/one"
    assert zoo.list_models() == ["toy/one"]


def test_a_name_is_unique(own_registry):
    first = registry.register("toy/one", paper="", corpus=CORPUS, metric="wer")(lambda name: 1)
    with pytest.raises(ZooError, match="'toy/one' is registered twice"):
        registry.register("toy/one", paper="", corpus=CORPUS, metric="wer")(lambda name: 2)
    assert registry.entry("toy/one").recipe() == first("toy/one") == 1


def test_nearest():
    assert nearest("layer", ["layers", "dropout"]) == "Did you mean 'layers'?"
    # A common family does not make names similar.
    assert nearest("a/dog", ["a/cat", "b/dogs"]) == "Did you mean 'b/dogs'?"
    assert nearest("zzz", ["b", "a"]) == "Valid: 'a', 'b'."


def test_listings_are_read_from_source():
    modules = registry._module_of().items()
    assert all(source_index.read_listing(module, name) for name, module in modules)


def test_listings_are_those_of_the_entries():
    for listing in registry.listings():
        entry = registry.entry(listing.name)
        assert listing.summary == entry.summary
        assert listing.metric == entry.metric
        assert (listing.corpus, listing.test_split) == (entry.corpus.name, entry.corpus.test_split)


@pytest.mark.parametrize(
    "source",
    [
        "for name in 'a', 'b':\n    register(f'toy/{name}')(make)\n",
        "NAME = 'toy/a'\n@register(NAME)\ndef make(name): ...\n",
        "@register\ndef make(name): ...\nregister('toy/b', make)\n",
    ],
)
def test_names_that_are_not_literal_are_not_read_from_source(tmp_path, monkeypatch, source):
    (tmp_path / "odd_models.py").write_text(source)
    monkeypatch.setattr(source_index, "ROOT", tmp_path)
    source_index._source.cache_clear()
    assert source_index.registered_names("odd_models") is None
    source_index._source.cache_clear()


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
    """Write a package that adds models into a folder of packages, as pip does."""
    (folder / f"{name}.py").write_text(source)
    information = folder / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[zoo.models]\nmodels = {name}\n")


def test_models_of_other_packages(tmp_path):
    """A broken package is reported. Listing does not import TensorFlow."""
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
