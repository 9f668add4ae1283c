"""Tests of the generator of drawings: states, seeds, signatures, training from the command line."""

import json
import xml.etree.ElementTree as ElementTree

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import settings
from tests.harness import check_model
from tests.vision_language.handwriting.letters import draw_word
from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.core.states import initial_states, next_states
from zoo.common.data.splits import split_by_group
from zoo.common.layers.recurrent import to_stock
from zoo.vision_language.handwriting.drawings import Drawings
from zoo.vision_language.handwriting.ink import Drawing, parse_ink

RECIPE = "vision_language/mdn-lstm-omniglot"
TINY = {"model.hidden_size": 8, "model.components": 3, "training.batch_size": 3}
DRAWINGS = [
    Drawing(f"{word}-{seed}", parse_ink({"strokes": draw_word(word, seed)}), group=word)
    for seed, word in enumerate(["lot", "till", "unit", "o"])
]


@pytest.fixture(scope="module")
def recipe():
    return entry(RECIPE).recipe().override(TINY).adapt(DRAWINGS)


@pytest.fixture(scope="module")
def graphs(recipe):
    keras.utils.set_random_seed(4)
    return Graphs("keras", recipe.model.functions(recipe.model.build()))


def test_harness(recipe, tmp_path, formats):
    check_model(recipe, DRAWINGS, tmp_path / "tiny", formats)


def test_points_are_offsets_in_units_of_the_scale(recipe):
    offsets = np.concatenate([np.diff(d.points[:, :2], axis=0) for d in DRAWINGS])
    np.testing.assert_allclose(recipe.data.scale, offsets.std(), rtol=1e-5)
    points = recipe.data.read_example(DRAWINGS[0], recipe.model)["points"]
    np.testing.assert_allclose(
        points[1:, :2] * recipe.data.scale, offsets[: len(points) - 1], atol=1e-4
    )
    assert points[0].tolist() == [0, 0, 0]
    assert points[:, 2].tolist() == DRAWINGS[0].points[:, 2].tolist()
    joined = recipe.data.join(DRAWINGS[0].points[:5], points[5:])
    np.testing.assert_allclose(joined, DRAWINGS[0].points, atol=1e-3)


def test_targets_are_the_next_points(recipe):
    batches = recipe.data.batches(DRAWINGS, recipe.model, None, Epoch(1, 3, seed=0))
    assert len(list(batches)) == batches.steps == 2
    for x, y, ids in batches:
        assert x["points"].shape[1] % 16 == 0
        assert not x["h0"].any()
        for i, (id_, n) in enumerate(zip(ids, y["lengths"], strict=True)):
            points = next(d.points for d in DRAWINGS if d.id == id_)
            assert n == len(points) - 1
            np.testing.assert_array_equal(y["targets"][i, : n - 1, :3], x["points"][i, 1:n])
            assert y["targets"][i, :n, 3].tolist() == [0] * (n - 1) + [1]


def test_outputs_point_by_point_equal_those_of_the_whole_drawing(recipe, graphs):
    points = recipe.data.read_example(DRAWINGS[0], recipe.model)["points"][np.newaxis]
    states = initial_states(recipe.model.states, 1)
    whole = graphs["step"](points=points, **states)
    for t in range(points.shape[1]):
        outputs = graphs["step"](points=points[:, t : t + 1], **states)
        states = next_states(recipe.model.states, outputs)
        np.testing.assert_allclose(outputs["weight"][:, 0], whole["weight"][:, t], atol=1e-5)


def test_the_metric_equals_the_loss_of_training(recipe, graphs):
    """The metric is the loss of one batch of all drawings, and the mean over all points of the rows."""
    evaluation = recipe.task.evaluate(recipe.predictor(graphs), DRAWINGS)
    ((x, y, _),) = recipe.data.batches(DRAWINGS, recipe.model, None, Epoch(0, 4, seed=0))
    loss = np.mean(recipe.task.loss(y, graphs["step"](**x)))
    np.testing.assert_allclose(evaluation.metrics["nats_per_point"], loss, rtol=1e-5)
    nats = sum(row["nats_per_point"] * row["points"] for row in evaluation.rows)
    assert sum(row["points"] for row in evaluation.rows) == sum(len(d.points) - 1 for d in DRAWINGS)
    np.testing.assert_allclose(
        nats / sum(row["points"] for row in evaluation.rows), loss, rtol=1e-5
    )
    assert [row["id"] for row in evaluation.rows] == [d.id for d in DRAWINGS]


def drawn(recipe, graphs, **options):
    recipe = recipe.override({f"decoder.{key}": value for key, value in options.items()})
    item = recipe.data.read_input("new", recipe.model)
    return recipe.task.draw(recipe.predictor(graphs), item)


def test_a_drawing_depends_on_its_seed_only(recipe, graphs):
    three = drawn(recipe, graphs, seed=5, count=3, max_points=30)
    for first, again in zip(
        three, drawn(recipe, graphs, seed=5, count=2, max_points=30), strict=False
    ):
        np.testing.assert_allclose(first, again, rtol=1e-4, atol=1e-3)
    (other,) = drawn(recipe, graphs, seed=6, max_points=30)
    assert not np.allclose(three[0][:2], other[:2])
    assert not np.allclose(three[0][:2], three[1][:2])
    (short,) = drawn(recipe, graphs, seed=5, max_points=2)
    assert len(short) == 3
    np.testing.assert_allclose(short[:2], three[0][:2], rtol=1e-4, atol=1e-3)
    assert all(len(drawing) <= 31 and drawing[-1, 2] == 1 for drawing in three)


def serving_default(recipe, model):
    graphs = Graphs("tensorflow", recipe.model.graphs(model))
    return recipe.task.signatures(recipe.predictor(graphs))["serving_default"]


def test_rows_of_a_savedmodel_do_not_depend_on_each_other(recipe):
    """TensorFlow Serving may combine the rows of several requests."""
    keras.utils.set_random_seed(4)
    model = to_stock(recipe.model.build())  # as it is exported
    signature = serving_default(recipe, model)
    serve = tf.function(signature.function, input_signature=signature.spec)

    def draw(*rows):
        columns = zip(*rows, strict=True)
        kinds = (tf.int32, tf.int32, tf.float32)
        drawings = serve(*(tf.constant(*pair) for pair in zip(columns, kinds, strict=True)))
        return [
            points[:length].numpy()
            for points, length in zip(drawings["points"], drawings["lengths"], strict=True)
        ]

    rows = [(9, 1, 0.0), (4, 1, 0.0), (6, 2, 0.0), (6, 2, 20.0)]
    together = draw(*rows)
    for points, row in zip(together, rows, strict=True):
        np.testing.assert_allclose(points, draw(row)[0], rtol=1e-4, atol=1e-4)
        assert len(points) <= row[0]
        assert points[-1, 2] == 1
    long, short, other, neat = (points[:2, :2] for points in together)
    np.testing.assert_allclose(long, short, rtol=1e-4, atol=1e-4)
    assert not np.allclose(short, other, atol=1e-2)
    assert not np.allclose(other, neat, atol=1e-2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([0], [1], [0.0]), "max_points must be at least 1 and at most 10000"),
        (([10_001], [1], [0.0]), "max_points must be at least 1 and at most 10000"),
        (([5], [1], [-1.0]), "bias must be at least 0 and at most 1000"),
        (([5], [1], [np.nan]), "must be finite numbers"),
        (([5, 5], [1], [0.0]), "the same number of rows"),
        (([], [], []), "must have at least one row"),
    ],
)
def test_an_invalid_row_of_a_savedmodel_is_an_error(recipe, columns, message):
    kinds = (tf.int32, tf.int32, tf.float32)
    signature = serving_default(recipe, recipe.model.build())
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signature.function(*(tf.constant(*pair) for pair in zip(columns, kinds, strict=True)))


def test_manifest_and_dev(tmp_path):
    path = tmp_path / "drawings.jsonl"
    rows = [{"strokes": draw_word("lot", i), "group": f"g{i % 2}"} for i in range(4)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    drawings = Drawings().read_manifest(path)
    assert [d.id for d in drawings] == [f"drawing {i}" for i in range(1, 5)]
    train, dev = split_by_group(drawings, Drawings().group_of, 0.5, seed=0)
    assert {d.group for d in train} & {d.group for d in dev} == set()
    path.write_text(json.dumps({"strokes": [[[1, 2]]]}))
    with pytest.raises(ZooError, match="line 1: ink must have at least 2 points"):
        Drawings().read_manifest(path)


@pytest.mark.slow
def test_training_from_the_command_line(run_zoo, tmp_path):
    """Overfit drawings of a manifest, complete a drawing, and write SVG."""
    manifest, run = tmp_path / "drawings.jsonl", tmp_path / "run"
    words = ["l", "t", "o"]
    rows = [{"strokes": draw_word(word, 1)} for word in words]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    small = settings(
        "model.hidden_size=32", "model.components=3", "model.dropout=0", "training.epochs=12",
        "training.batch_size=3", "optimizer.learning_rate=0.02",
    )  # fmt: skip
    answer = run_zoo(
        "train", RECIPE, "--manifest", manifest, "--overfit", "3", "--out", run, *small, "--json"
    )
    assert answer.status == 0, answer.err
    assert answer.json["best"]["nats_per_point"] < -1

    begin, bad = tmp_path / "begin.json", tmp_path / "bad.json"
    first, _ = rows[1]["strokes"]
    begin.write_text(json.dumps({"strokes": [first]}))
    bad.write_text(json.dumps({"points": [[1, 1, 1]]}))
    answer = run_zoo("predict", run, begin, bad, "--bias", "10", "--json")
    assert answer.status == 1
    good_answer, bad_answer = answer.json["predictions"]
    assert bad_answer["error"] == f"{bad}: ink must have at least 2 points. Received: 1."
    (drawing,) = good_answer["drawings"]
    np.testing.assert_allclose(drawing[0], first, atol=0.01)
    assert len(drawing) > 1

    page = tmp_path / "page.svg"
    options = ("--count", "5", "--seed", "2", "--max-points", "40", "--format", "svg")
    assert run_zoo("predict", run, "new", *options, "--out", page).status == 0
    paths = list(ElementTree.parse(page).iter("{http://www.w3.org/2000/svg}path"))
    assert len(paths) == 5
    assert len({path.get("d") for path in paths}) == 5
    assert "must be at least 1" in run_zoo("predict", run, "new", "--count", "0").err
