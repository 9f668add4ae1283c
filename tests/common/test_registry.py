"""The registry: names, metadata, mistakes."""

import pytest

import zoo
from zoo.common import presets, registry
from zoo.common.errors import ZooError, nearest
from zoo.common.registry import Corpus
from zoo.common.runs import read_json

AN4 = "speech/bilstm-ctc-an4"
METRICS = {"wer", "cer", "per", "accuracy", "f1_macro", "auc", "perplexity", "nats_per_char"} | {
    *("bleu", "bleu4", "cider", "spearman_ws353", "nmse", "smape")
}
CORPUS = Corpus("toy", "Toy", "CC0", "https://example.org")


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_entries", {})
    monkeypatch.setattr(registry, "FAMILIES", ())


@pytest.mark.parametrize("entry", registry.entries(), ids=lambda entry: entry.name)
def test_every_recipe_tells_what_a_person_wants_to_know(entry):
    assert entry.recipe().name == entry.name
    assert entry.metric in METRICS
    if entry.name in presets.names():
        figures = read_json(presets.ROOT / entry.name / presets.METRICS_FILE)["figures"]
        assert {entry.metric, entry.recipe().task.metric} <= set(figures["test"]["metrics"])
    assert entry.summary.endswith(".")
    assert "\n" not in entry.summary
    corpus = entry.corpus
    assert all((entry.paper, corpus.name, corpus.title, corpus.licence, corpus.train_split))
    assert corpus.source.startswith("https://")


def test_patterns():
    assert AN4 in zoo.list_models("speech/*")
    assert zoo.list_models() == sorted(zoo.list_models())
    assert zoo.list_models("*-an4") == [AN4]
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
