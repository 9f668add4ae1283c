"""The n-gram language model: training by counting, evaluation, scores and continuations."""

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
from zoo.common.training import trainers
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2
from zoo.language.modelling.data import SAMPLE

RECIPE = "language/kn5-ptb"


def train(folder, **overrides):
    """Return (recipe, history, train, dev) of a run on a text whose first tenth is dev."""
    recipe = registry.entry(RECIPE).recipe().override({"decoder.length": 20, **overrides})
    if recipe.data.tokenization == "word":
        examples = recipe.data.prepare(WIKITEXT2.read(WIKITEXT, "valid"))
    else:
        examples = recipe.data.read_manifest(SAMPLE)
    train_examples, dev_examples = recipe.data.split_dev(examples, 0.1, seed=0)
    recipe = recipe.adapt(train_examples + dev_examples)
    history = trainers.train(recipe, train_examples, dev_examples, folder, log=[].append)
    return recipe, history, train_examples, dev_examples


def open_run(folder):
    """Return the recipe of a run, and the predictor of its model."""
    recipe = store.load_recipe(folder)
    graphs = Graphs("keras", recipe.model.functions(store.load_model(folder, recipe)))
    return recipe, recipe.predictor(graphs)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return (folder, recipe, history, train, dev) of a trigram model."""
    folder = tmp_path_factory.mktemp("runs") / "ngram"
    return folder, *train(folder, **{"model.order": 3})


def test_a_run_writes_the_files_of_a_preset(run):
    folder, recipe, (row,), *_ = run
    assert {path.name for path in folder.iterdir()} == {
        "model.arpa.gz", "recipe.json", "vocabulary.txt", "run.json", "metrics.csv", "examples.txt",
    }  # fmt: skip
    assert set(row) == {"epoch", "perplexity", "seconds"}
    assert json.loads((folder / "run.json").read_text())["recipe"]["model"]["order"] == 3
    assert store.load_recipe(folder) == recipe


def test_a_loaded_model_has_the_metric_of_the_training(run):
    folder, _, (row,), _, dev = run
    recipe, predictor = open_run(folder)
    evaluation = recipe.task.evaluate(predictor, dev)
    assert evaluation.metrics == {"perplexity": row["perplexity"]}
    assert 1 < row["perplexity"] < len(recipe.data.vocabulary) / 2
    assert evaluation.num_examples == len(dev[0].tokens)


def test_scores_are_those_of_the_arpa_file(run):
    """The file scores each sentence separately."""
    folder, *_ = run
    recipe, predictor = open_run(folder)
    model = read_arpa(folder / "model.arpa.gz")
    text = "the lobster is a\nlarge crustacean\n"
    (answer,) = recipe.task.score(predictor, [text])
    words = ["the", "lobster", "is", "a", "</s>", "large", "crustacean", "</s>"]
    tokens = np.array(
        [model.words.index(word if word in model.words else "<unk>") for word in words]
    )
    scores = [row["log_probability"] for row in answer["tokens"]]
    np.testing.assert_allclose(scores, model.score(tokens), rtol=1e-5)


def test_the_history_can_be_carried_from_any_position(run):
    folder, *_, dev = run
    recipe, predictor = open_run(folder)
    graphs = predictor.graphs
    tokens = recipe.data.read_example(dev[0], recipe.model)["tokens"][np.newaxis, :60]
    states = initial_states(recipe.model.states, 1)
    assert states["history"].tolist() == [[0, 0]]
    whole = graphs["step"](tokens=tokens, **states)
    parts = []
    for start, end in ((0, 1), (1, 2), (2, 30), (30, 60)):
        outputs = graphs["step"](tokens=tokens[:, start:end], **states)
        states = {"history": outputs["next_history"]}
        parts.append(outputs["logits"])
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole["logits"])
    assert outputs["next_history"].dtype == np.int32
    np.testing.assert_array_equal(outputs["next_history"], whole["next_history"])
    np.testing.assert_allclose(np.exp(whole["logits"]).sum(axis=-1), 1, atol=1e-4)


def test_greedy_generation_selects_the_most_probable_word(run):
    folder, *_ = run
    recipe, predictor = open_run(folder)
    greedy = replace(predictor.decoder, sampler="greedy", length=1)
    (answer,) = recipe.task.predict(replace(predictor, decoder=greedy), ["of"])
    model = read_arpa(folder / "model.arpa.gz")
    log_probs = model.log_probs(np.array([[model.words.index("of")]]), np.array([[0, 0]]))
    assert answer["output"] == f"of {model.words[int(np.argmax(log_probs))]}"


@pytest.mark.parametrize("order", [1, 4])
def test_any_order_and_characters(tmp_path, order):
    settings = {"data.tokenization": "character", "task.monitor": "nats_per_char"}
    recipe, (row,), *_ = train(tmp_path / "run", **settings, **{"model.order": order})
    assert recipe.model.vocabulary_size < 65
    recipe, predictor = open_run(tmp_path / "run")
    (answer,) = recipe.task.predict(predictor, ["MENENIUS:\n"])
    assert len(answer["output"]) == len("MENENIUS:\n") + 20
    assert row["nats_per_char"] == pytest.approx({1: 3.1, 4: 2.1}[order], abs=0.3)


def test_a_finished_run_is_not_repeated(run):
    folder, recipe, history, train_examples, dev = run
    before = (folder / "model.arpa.gz").stat().st_mtime_ns
    again = trainers.train(recipe, train_examples, dev, folder, resume=True)
    assert again == history
    assert (folder / "model.arpa.gz").stat().st_mtime_ns == before
    with pytest.raises(ZooError, match="already exists"):
        trainers.train(recipe, train_examples, dev, folder)


def test_initial_weights_are_an_error(run, tmp_path):
    _, recipe, _, train_examples, dev = run
    with pytest.raises(ZooError, match="--init is not supported"):
        trainers.train(recipe, train_examples, dev, tmp_path / "new", init="anything")
    assert not (tmp_path / "new").exists()


def test_a_file_of_another_model_is_an_error(run):
    folder, recipe, *_ = run
    other = replace(recipe.model, order=4)
    with pytest.raises(
        ZooError, match=r"does not fit the recipe.*and order 4\. Received: .*order 3"
    ):
        other.load(folder / "model.arpa.gz")
    with pytest.raises(ZooError, match="is missing"):
        other.load(folder / "nothing.arpa.gz")


def test_it_must_be_trained(run):
    _, recipe, *_ = run
    with pytest.raises(ZooError, match=r"is not trained; run `zoo train language/kn5-ptb`\."):
        recipe.model.build()


def test_it_works_without_keras_and_tensorflow(run):
    code = """
import sys
from pathlib import Path
sys.modules["tensorflow"] = sys.modules["keras"] = None
from tests.language.modelling.test_ngram_lm import open_run
recipe, predictor = open_run(Path(sys.argv[1]))
(answer,) = recipe.task.predict(predictor, ["the"])
print(answer["output"])
"""
    folder, *_ = run
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert done.stdout.startswith("the "), done.stderr
