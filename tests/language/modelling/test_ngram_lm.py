"""The n-gram language model: trained by counting, then measured, scored and continued as any other."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.language.test_corpora import WIKITEXT
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.states import initial_states
from zoo.common.language_model.arpa import read_arpa
from zoo.common.presets import store
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2
from zoo.language.modelling.data import SAMPLE

RECIPE = "language/kn5-ptb"


def train(folder, **overrides):
    """(recipe, history) of a run on a text of words; dev is its first tenth."""
    recipe = registry.entry(RECIPE).recipe().override({"decoder.length": 20, **overrides})
    if recipe.data.tokenization == "word":
        examples = recipe.data.prepare(WIKITEXT2.read(WIKITEXT, "valid"))
    else:
        examples = recipe.data.read_manifest(SAMPLE)
    train_examples, dev_examples = recipe.data.split_dev(examples, 0.1, seed=0)
    recipe = recipe.adapt(train_examples + dev_examples)
    history = recipe.training.train(recipe, train_examples, dev_examples, folder, log=[].append)
    return recipe, history, train_examples, dev_examples


def open_run(folder):
    recipe = store.load_recipe(folder)
    return recipe, Graphs("keras", recipe.model.functions(store.load_model(folder, recipe)))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(folder, recipe, history, train, dev) of a trigram model."""
    folder = tmp_path_factory.mktemp("runs") / "ngram"
    return folder, *train(folder, **{"model.order": 3})


def test_a_run_leaves_what_a_preset_has(run):
    folder, recipe, (row,), *_ = run
    assert {path.name for path in folder.iterdir()} == {
        "model.arpa.gz", "recipe.json", "vocabulary.txt", "run.json", "metrics.csv",
    }  # fmt: skip
    assert set(row) == {"epoch", "perplexity", "seconds"}
    assert json.loads((folder / "run.json").read_text())["recipe"]["model"]["order"] == 3
    assert store.load_recipe(folder) == recipe


def test_what_is_loaded_measures_as_what_was_trained(run):
    folder, _, (row,), _, dev = run
    recipe, graphs = open_run(folder)
    evaluation = recipe.task.evaluate(graphs, recipe, dev)
    assert evaluation.metrics == {"perplexity": row["perplexity"]}
    assert 1 < row["perplexity"] < len(recipe.data.vocabulary) / 2
    assert evaluation.num_examples == len(dev[0].tokens)


def test_scores_are_those_of_the_file(run):
    """By the words of the ARPA file, sentence by sentence."""
    folder, *_ = run
    recipe, graphs = open_run(folder)
    model = read_arpa(folder / "model.arpa.gz")
    text = "the lobster is a\nlarge crustacean\n"
    (answer,) = recipe.task.score(graphs, recipe, [text])
    words = ["the", "lobster", "is", "a", "</s>", "large", "crustacean", "</s>"]
    tokens = np.array(
        [model.words.index(word if word in model.words else "<unk>") for word in words]
    )
    scores = [row["log_probability"] for row in answer["tokens"]]
    np.testing.assert_allclose(scores, model.score(tokens), rtol=1e-5)


def test_the_history_may_be_handed_on_at_any_place(run):
    folder, *_, dev = run
    recipe, graphs = open_run(folder)
    tokens = recipe.data.read_example(dev[0], recipe)["tokens"][np.newaxis, :60]
    states = initial_states(recipe.model.states, 1)
    assert states["history"].tolist() == [[0, 0]]
    whole = graphs["step"](tokens=tokens, **states)
    pieces = []
    for start, end in ((0, 1), (1, 2), (2, 30), (30, 60)):
        outputs = graphs["step"](tokens=tokens[:, start:end], **states)
        states = {"history": outputs["next_history"]}
        pieces.append(outputs["logits"])
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole["logits"])
    assert outputs["next_history"].dtype == np.int32
    np.testing.assert_array_equal(outputs["next_history"], whole["next_history"])
    np.testing.assert_allclose(np.exp(whole["logits"]).sum(axis=-1), 1, atol=1e-4)


def test_greedy_writing_takes_the_likeliest_word(run):
    folder, *_ = run
    recipe, graphs = open_run(folder)
    recipe = replace(recipe, decoder=replace(recipe.decoder, sampler="greedy", length=1))
    (answer,) = recipe.task.predict(graphs, recipe, ["of"])
    model = read_arpa(folder / "model.arpa.gz")
    log_probs = model.log_probs(np.array([[model.words.index("of")]]), np.array([[0, 0]]))
    assert answer["output"] == f"of {model.words[int(np.argmax(log_probs))]}"


@pytest.mark.parametrize("order", [1, 4])
def test_any_order_and_characters(tmp_path, order):
    settings = {"data.tokenization": "character", "task.metric": "nats_per_char"}
    recipe, (row,), *_ = train(tmp_path / "run", **settings, **{"model.order": order})
    assert recipe.model.vocabulary_size < 65
    recipe, graphs = open_run(tmp_path / "run")
    (answer,) = recipe.task.predict(graphs, recipe, ["MENENIUS:\n"])
    assert len(answer["output"]) == len("MENENIUS:\n") + 20
    assert row["nats_per_char"] == pytest.approx({1: 3.1, 4: 2.1}[order], abs=0.3)


def test_a_finished_run_is_resumed_at_no_cost(run):
    folder, recipe, history, train_examples, dev = run
    before = (folder / "model.arpa.gz").stat().st_mtime_ns
    again = recipe.training.train(recipe, train_examples, dev, folder, resume=True)
    assert again == history
    assert (folder / "model.arpa.gz").stat().st_mtime_ns == before
    with pytest.raises(ZooError, match="exists already"):
        recipe.training.train(recipe, train_examples, dev, folder)


def test_other_weights_are_no_start(run, tmp_path):
    _, recipe, _, train_examples, dev = run
    with pytest.raises(ZooError, match="starts from no other weights"):
        recipe.training.train(recipe, train_examples, dev, tmp_path / "new", init="anything")
    assert not (tmp_path / "new").exists()


def test_a_file_of_another_model_is_refused(run):
    folder, recipe, *_ = run
    other = replace(recipe.model, order=4)
    with pytest.raises(
        ZooError, match=r"does not fit the recipe.*and order 4\. Received: .*order 3"
    ):
        other.load(folder / "model.arpa.gz")
    with pytest.raises(ZooError, match="is missing"):
        other.load(folder / "nothing.arpa.gz")


def test_it_needs_neither_keras_nor_tensorflow(run):
    code = """
import sys
from pathlib import Path
sys.modules["tensorflow"] = sys.modules["keras"] = None
from tests.language.modelling.test_ngram_lm import open_run
recipe, graphs = open_run(Path(sys.argv[1]))
(answer,) = recipe.task.predict(graphs, recipe, ["the"])
print(answer["output"])
"""
    folder, *_ = run
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert done.stdout.startswith("the "), done.stderr
