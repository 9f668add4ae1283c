"""Tests of retrieval against the computation pair by pair."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import DIRECTIONS, HIGHER
from zoo.common.core.model import Graphs
from zoo.vision_language.captioning import retrieval
from zoo.vision_language.captioning.models.attend_and_tell import AttendAndTell
from zoo.vision_language.captioning.prefix_tree import prefix_tree
from zoo.vision_language.captioning.retrieval import ranks

SMALL = {"hidden_size": 8, "embedding_size": 8}


@pytest.fixture(scope="module", params=["show_and_tell", "attend_and_tell"])
def recipe(request, tiny):
    """A captioner without constant states, and one with them."""
    size = tiny.model.vocabulary_size
    models = {
        "show_and_tell": replace(tiny.model, **SMALL),
        "attend_and_tell": AttendAndTell(vocabulary_size=size, attention_size=4, **SMALL),
    }
    return replace(tiny, model=models[request.param])


@pytest.fixture(scope="module")
def predictor(recipe):
    """A captioner with large random weights, which tells images apart."""
    keras.utils.set_random_seed(2)
    model = recipe.model.build()
    generator = np.random.default_rng(0)
    for weight in recipe.model.checkpoint_submodel(model).trainable_weights:
        weight.assign(generator.normal(0, 0.5, weight.shape))
    return recipe.predictor(Graphs("keras", recipe.model.functions(model)))


def text(example) -> str:
    return " ".join(example.captions[0].lower().replace(" .", "").replace(",", "").split())


def test_recall_equals_that_of_pairwise_scores(recipe, predictor, examples, monkeypatch):
    monkeypatch.setattr(retrieval, "IMAGES", 2)
    monkeypatch.setattr(retrieval, "TEXTS", 2)
    # Some texts have a common beginning, and two images have the same text.
    captions = [f"a road crosses {' many' * i} fields ." for i in range(5)]
    captions += ["a river runs", "a river", "many cars", captions[0]]
    examples = [replace(e, captions=(c, "cars")) for e, c in zip(examples, captions, strict=True)]
    result = recipe.task.retrieve(predictor, examples)

    texts = list(dict.fromkeys(text(example) for example in examples))
    log_probs = [
        [s["log_probability"] for s in recipe.task.score(predictor, [str(e.image), *texts])]
        for e in examples
    ]
    count = len(examples)
    of_text = [math.log(sum(math.exp(row[t]) for row in log_probs) / count) for t in range(8)]
    scores = [[row[t] - of_text[t] for t in range(8)] for row in log_probs]
    for i, row in enumerate(result.rows):
        own = texts.index(text(examples[i]))
        above = [t for t in range(8) if scores[i][t] > scores[i][own] and t != own]
        assert row["rank_text"] == 1 + len(above)
        assert row["output"] == texts[int(np.argmax(scores[i]))]
        having = [j for j in range(count) if text(examples[j]) == texts[own]]
        found = max(scores[j][own] for j in having)
        others = [j for j in range(count) if j not in having and scores[j][own] > found]
        assert row["rank_image"] == 1 + len(others)
    for wanted in ("text", "image"):
        for k in (1, 5, 10):
            share = sum(row[f"rank_{wanted}"] <= k for row in result.rows) / count
            assert result.metrics[f"recall_at_{k}_{wanted}"] == pytest.approx(share)
    assert 0 < result.metrics["recall_at_5_text"] < 1
    assert result.num_examples == 9
    assert all(DIRECTIONS[name] == HIGHER for name in result.metrics)


def test_unreadable_images_and_long_captions(recipe, predictor, examples, tmp_path):
    """An unreadable image never matches. An image without a short caption is left out."""
    bad = tmp_path / "text.jpg"
    bad.write_text("no image")
    long = replace(examples[1], captions=("word " * 9,))
    chosen = [replace(examples[0], image=bad, captions=("a road",)), long, *examples[2:5]]
    result = recipe.task.retrieve(predictor, chosen)
    first = result.rows[0]
    assert result.num_examples == len(result.rows) == 4
    assert (first["output"], first["rank_text"], first["rank_image"]) == ("", None, None)
    assert "text.jpg" in first["error"]
    assert "Left out, without a caption of at most 8 words: 1." in result.report
    assert any("text.jpg" in line for line in result.report)
    none = recipe.task.retrieve(predictor, chosen[:1])
    assert set(none.metrics.values()) == {0.0}
    with pytest.raises(ZooError, match="No image has a caption of at most 8 words"):
        recipe.task.retrieve(predictor, [long])


def test_ranks():
    """Among equal scores, incorrect ones come first. The best of several correct ones counts."""
    scores = np.array([[3.0, 2, 1], [1, 1, 0], [5, 7, 6], [-np.inf] * 3])
    correct = np.array([[0, 1, 0], [0, 1, 0], [1, 0, 1], [1, 0, 0]], bool)
    assert list(ranks(scores, correct)) == [2, 2, 2, math.inf]


def test_texts_with_a_common_beginning_share_nodes():
    """0 is the start token and 9 the end. One text is the beginning of another."""
    levels = prefix_tree([[0, 1, 2, 9], [0, 1, 9], [0, 1, 2, 3, 9], [0, 4, 9]])
    assert [list(level.tokens) for level in levels] == [[1, 4], [2], [3], []]
    assert [list(level.parents) for level in levels] == [[0, 0], [0], [0], []]
    assert [(level.ended, level.ended_parents) for level in levels] == [
        ([], []),
        ([1, 3], [0, 1]),
        ([0], [0]),
        ([2], [0]),
    ]


def test_retrieval_on_the_command_line(run_zoo, refused, rsicd, tiny, tmp_path):
    from zoo.common.presets import store

    run, rows = tmp_path / "run", tmp_path / "rows.jsonl"
    store.save_model(run, tiny.model.build(), tiny)
    command = ("evaluate", run, "--data", rsicd, "--retrieval")
    answer = run_zoo(*command, "--rows", rows, "--json")
    assert answer.status == 0, answer.err
    assert list(answer.json["metrics"]) == [
        f"recall_at_{k}_{wanted}" for wanted in ("text", "image") for k in (1, 5, 10)
    ]
    assert len(rows.read_text().splitlines()) == answer.json["examples"] == 3
    assert answer.json["metrics"]["recall_at_5_image"] == 1  # of three images
    assert "cannot be combined with --plots or options of the decoder" in refused(
        *command, "--beam-width", "2"
    )
    other = refused("evaluate", "language/charlstm-hello", "--retrieval")
    assert "does not support retrieval" in other
