"""Translators: the model, and translation as a task."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.harness import check_model
from tests.language.epochs import epoch_batches
from tests.language.translation.test_parallel_text import PAIRS, examples, tiny_recipe
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.language.translation.task import Translation

ATTENTION = "language/attention-multi30k-en-de"
BOTH = [ATTENTION, "language/seq2seq-multi30k-en-de"]


@pytest.mark.parametrize("name", BOTH)
def test_translator(name, tmp_path, formats):
    check_model(tiny_recipe(name), examples(), tmp_path / "tiny", formats)


def with_large_weights(name):
    """Return recipe, model and predictor of a translator whose answers depend on the source."""
    recipe = tiny_recipe(name)
    keras.utils.set_random_seed(3)
    model = recipe.model.build()
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, 0.8, w.shape) for w in model.get_weights()])
    return recipe, model, recipe.predictor(Graphs("keras", recipe.model.functions(model)))


@pytest.mark.parametrize("name", BOTH)
def test_steps_give_the_logits_of_training_and_padding_has_no_effect(name):
    recipe, model, predictor = with_large_weights(name)
    graphs = predictor.graphs
    x, _, _ = next(iter(epoch_batches(recipe, examples())))
    expected = np.asarray(model(x)["logits"])
    shortest = int(np.argmin(x["source_lengths"]))
    assert x["source_lengths"][shortest] < x["source"].shape[1]
    for row in range(len(expected)):
        alone = {
            "source": x["source"][row : row + 1, : x["source_lengths"][row]],
            "source_lengths": x["source_lengths"][row : row + 1],
        }
        encoded = graphs["encoder"](**alone)
        states = {spec.name: encoded[f"next_{spec.name}"] for spec in recipe.model.states}
        for t, token in enumerate(x["tokens"][row]):
            outputs = graphs["step"](tokens=np.array([[token]], np.int32), **states)
            np.testing.assert_allclose(outputs["logits"][0, 0], expected[row, t], atol=2e-4)
            states |= {
                spec.name: outputs[f"next_{spec.name}"]
                for spec in recipe.model.states
                if not spec.constant
            }


def test_attention_is_a_distribution_over_the_pieces_of_the_source():
    recipe, _, predictor = with_large_weights(ATTENTION)
    graphs = predictor.graphs
    items = [recipe.data.read_input(source, recipe.model) for source, _ in PAIRS[:3]]
    batch = recipe.data.collate(items)
    encoded = graphs["encoder"](**batch)
    states = {spec.name: encoded[f"next_{spec.name}"] for spec in recipe.model.states}
    attention = graphs["step"](tokens=np.full((3, 2), 2, np.int32), **states)["attention"]
    np.testing.assert_allclose(attention.sum(axis=-1), 1, rtol=1e-5)
    for row, length in enumerate(batch["source_lengths"]):
        assert (attention[row, :, :length] > 0).all()
        assert not attention[row, :, length:].any()


def test_the_plot_of_attention_has_a_row_for_each_piece_and_the_end(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    plotted = []
    imshow = Axes.imshow

    def record(axes, image, **options):
        plotted.append(image)
        return imshow(axes, image, **options)

    monkeypatch.setattr(Axes, "imshow", record)
    recipe, _, predictor = with_large_weights(ATTENTION)
    recipe.data.plot_input(predictor, recipe.task, PAIRS[0][0], tmp_path / "picture.png")
    (answer,) = recipe.task.predict(predictor, [PAIRS[0][0]])
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    (weights,) = plotted
    assert weights.shape[1] == len(recipe.data.read_source(PAIRS[0][0]))
    assert weights.shape[0] <= recipe.decoder.max_length + 1
    assert answer["output"]
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    recipe, _, predictor = with_large_weights(BOTH[1])
    with pytest.raises(ZooError, match="has no attention to plot"):
        recipe.data.plot_input(predictor, recipe.task, PAIRS[0][0], tmp_path / "none.png")


def test_predict_evaluate_and_the_savedmodel_give_the_same_answers():
    import tensorflow as tf

    recipe, model, predictor = with_large_weights(ATTENTION)
    rows = recipe.task.evaluate(predictor, examples()).rows
    entry = recipe.data.raw_inputs(recipe.model, recipe.decoder)["serving_default"]
    in_graph = recipe.predictor(Graphs("keras", recipe.model.graphs(model)))
    answer = recipe.task.answer_in_graph(in_graph)
    served = tf.function(lambda text: answer(entry.to_inputs(text)))(
        tf.constant([source for source, _ in PAIRS])
    )
    outputs = [
        found["output"] for found in recipe.task.predict(predictor, [source for source, _ in PAIRS])
    ]
    assert outputs == [row["output"] for row in rows]
    assert outputs == [text.decode() for text in served["translation"].numpy()]
    assert len(set(outputs)) > 1


def test_alternatives_are_sorted_and_a_translation_is_scored():
    recipe, _, predictor = with_large_weights(ATTENTION)
    decoder = replace(recipe.decoder, beam_width=4, n_best=4, length_penalty=0.0)
    source = PAIRS[0][0]
    (answer,) = recipe.task.predict(replace(predictor, decoder=decoder), [source])
    found = [each["log_probability"] for each in answer["alternatives"]]
    assert found == sorted(found, reverse=True)
    assert len(found) == 4
    (scored,) = recipe.task.score(predictor, [source, PAIRS[0][1]])
    assert "".join(token["token"] for token in scored["tokens"]).startswith("▁Ein")
    assert scored["log_probability"] < 0


def test_bleu_is_that_of_sacrebleu():
    import sacrebleu

    outputs = ["ein Hund läuft auf dem Gras.", *(target for _, target in PAIRS[1:-1]), ""]
    task = Translation()
    metrics, report, rows = task.compute_metrics(None, examples(), outputs)
    references = [[target for _, target in PAIRS]]
    assert metrics["bleu"] == sacrebleu.corpus_bleu(outputs, references).score / 100
    assert metrics["bleu_lowercase"] > metrics["bleu"]
    assert rows[1]["bleu"] == pytest.approx(1)
    assert rows[-1]["bleu"] == 0
    assert "tok:13a" in report[0]
    perfect, _, _ = task.compute_metrics(None, examples(), [target for _, target in PAIRS])
    assert perfect["bleu"] == pytest.approx(1)
