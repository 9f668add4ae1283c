"""`zoo.train(..., init_encoder=...)`: a text classifier that starts from a language model."""

import itertools

import keras
import numpy as np
import pytest

import zoo
from zoo.api.train import train_recipe
from zoo.common.core.errors import ZooError

CLASSIFIER, LANGUAGE = "language/bilstm-sst2", "language/lstm-english"
TEXTS = ["a quiet and funny film", "a dull and noisy film", "the end is a joy", "the end is a bore"]
SIZES = {"model.embedding_size": 6, "model.hidden_size": 5}
TINY = {**SIZES, "data.min_count": 1, "training.batch_size": 2, "training.epochs": 1}


@pytest.fixture(scope="module")
def language_model(tmp_path_factory):
    """Return the run of a language model that knows "film", "end" and others, but not "joy"."""
    folder = tmp_path_factory.mktemp("language")
    lines = ["a film has an end", "the film is quiet and funny", "a dull end is noisy"] * 20
    (folder / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    overrides = {**TINY, "data.time_steps": 4, "model.num_sampled": 3}
    out = folder / "run"
    zoo.train(LANGUAGE, manifest=folder / "text.txt", out=out, overrides=overrides)
    return out


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    path = tmp_path_factory.mktemp("sentences") / "texts.tsv"
    rows = [
        f"{text}\t{'good' if i % 2 else 'bad'}\t{split}\n"
        for split in ("train", "dev")
        for i, text in enumerate(TEXTS)
    ]
    path.write_text("text\tlabel\tsplit\n" + "".join(rows), encoding="utf-8")
    return path


def start(language_model, sentences, out, epochs=1, **overrides):
    """Train from the language model, and return the weights after each epoch by their paths."""
    found = []

    def keep(row):
        model = zoo.load(str(out)).model
        found.append({weight.path: np.array(weight) for weight in model.weights})

    train_recipe(
        CLASSIFIER,
        manifest=sentences,
        init_encoder=language_model,
        out=out,
        overrides={**TINY, "training.epochs": epochs, "training.patience": 9} | overrides,
        on_epoch=keep,
    )
    return found


STILL = {"optimizer.learning_rate": 1e-12}


@pytest.mark.parametrize("bidirectional", [True, False])
def test_words_and_layers_are_those_of_the_language_model(
    language_model, sentences, tmp_path, capsys, bidirectional
):
    out, trained = tmp_path / "run", zoo.load(str(language_model))
    (weights,) = start(
        language_model, sentences, out, **STILL, **{"model.bidirectional": bidirectional}
    )
    known = trained.recipe.data.vocabulary
    vocabulary = zoo.load(str(out)).recipe.data.vocabulary
    assert set(vocabulary.tokens) == {"<pad>", *" ".join(TEXTS).split(), *known.tokens} - {"<eos>"}
    rows = trained.model.get_layer("embedding").get_weights()[0]
    found = 0
    for token, row in zip(vocabulary.tokens, weights["embedding/embeddings"], strict=True):
        found += token in known
        expected = rows[known.index(token)] if token in known else rows.mean(axis=0)
        np.testing.assert_allclose(row, expected, atol=1e-6, err_msg=token)
    assert "joy" not in known
    assert f"{found} of {len(vocabulary)} words have the embedding of" in capsys.readouterr().err
    layer = "lstm0/forward_lstm0/lstm_cell" if bidirectional else "lstm0/lstm_cell"
    names = ("kernel", "recurrent_kernel", "bias")
    for name, expected in zip(names, trained.model.get_layer("lstm0").get_weights(), strict=True):
        np.testing.assert_allclose(weights[f"{layer}/{name}"], expected, atol=1e-6)


class Weights(keras.callbacks.Callback):
    """Record the weights of the layers before the first epoch and after each epoch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def record(self):
        layers = ("embedding", "lstm0", "logits")
        found = {name: self.model.network.get_layer(name).get_weights() for name in layers}
        self.found.append(found)

    def on_train_begin(self, logs=None):
        if not self.found:
            self.record()

    def on_train_end(self, logs=None):
        self.record()


def test_layers_are_released_from_the_output_down(language_model, sentences, tmp_path):
    """The first epoch trains the output layer, the second one the LSTM too, the third one all."""
    callback = Weights()
    zoo.train(
        CLASSIFIER,
        manifest=sentences,
        init_encoder=language_model,
        out=tmp_path / "run",
        overrides={
            **TINY,
            "training.epochs": 6,  # the learning rate of so few batches soon reaches 0
            "training.frozen_epochs": 1,
            "training.gradual_unfreezing": True,
            "optimizer.warmup_epochs": 0,
        },
        callbacks=[callback],
    )
    changed = [
        [name for name in before if not np.array_equal(before[name][0], after[name][0])]
        for before, after in itertools.pairwise(callback.found)
    ]
    assert changed[:3] == [["logits"], ["lstm0", "logits"], ["embedding", "lstm0", "logits"]]


def test_a_run_is_resumed_without_its_argument(language_model, sentences, tmp_path):
    out = tmp_path / "run"
    start(language_model, sentences, out)
    result = zoo.train(CLASSIFIER, out=out, resume=True, overrides={"training.epochs": 2})
    assert len(result.history) == 2


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        (CLASSIFIER, {"init_encoder": "language/nothing"}, "There is no preset and no run folder"),
        (
            CLASSIFIER,
            {"init_encoder": CLASSIFIER},
            "--init-encoder must be a language model with recurrent layers. Received: "
            "language/bilstm-sst2, of the recipe 'language/bilstm-sst2'.",
        ),
        (
            CLASSIFIER,
            {"init_encoder": "language/lstm-small-ptb"},
            "The encoder must have an embedding of size",
        ),
        (
            "speech/tdnn-fsdd",
            {"init_encoder": "language/lstm-small-ptb"},
            "--init-encoder needs a recipe of a text classifier. Received: speech/tdnn-fsdd.",
        ),
        (
            CLASSIFIER,
            {"init_encoder": "language/lstm-small-ptb", "init": CLASSIFIER},
            "--init and --init-encoder cannot be combined.",
        ),
    ],
)
def test_errors(sentences, tmp_path, recipe, arguments, message):
    out = tmp_path / "run"
    with pytest.raises(ZooError) as error:
        zoo.train(recipe, manifest=sentences, out=out, overrides={}, **arguments)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not out.exists()
