"""Training on several hosts, without other processes: rows, shared values, places and messages."""

import keras
import numpy as np
import pytest

from tests.common.training.toy import RECIPE, TRAIN
from zoo.common.core.data import Batches, Epoch
from zoo.common.core.errors import ZooError
from zoo.common.training.parallel import ROW_WEIGHT, rows_of
from zoo.common.training.training_model import TrainingModel
from zoo.scaling import hosts
from zoo.scaling.hosts import Place
from zoo.scaling.jax_parallel import _packed, _unpacked

AR = "timeseries/ar-laser"
GRU = "timeseries/gru-laser"


def five_rows() -> Batches:
    x = {"x": np.arange(10).reshape(5, 2)}
    y = {"label": np.arange(5)}
    return Batches(lambda: iter([(x, y, np.array(list("abcde")))]), ({}, {}), 1)


def test_parts_of_a_batch_are_its_rows_in_order():
    parts = [next(iter(rows_of(five_rows(), shard, 2, 2))) for shard in range(2)]
    assert [part[1]["label"].tolist() for part in parts] == [[0, 1, 2], [3, 4, 4]]
    assert [part[1][ROW_WEIGHT].tolist() for part in parts] == [[1, 1, 1], [1, 1, 0]]
    assert parts[1][0]["x"].tolist() == [[6, 7], [8, 9], [8, 9]]
    assert parts[1][2].tolist() == ["d", "e", "e"]


def test_part_without_an_example_has_weight_0():
    parts = [next(iter(rows_of(five_rows(), shard, 4, 8))) for shard in range(4)]
    assert [part[1][ROW_WEIGHT].tolist() for part in parts] == [[1, 1], [1, 1], [1, 0], [0, 0]]


def test_arrays_without_rows_cannot_be_divided():
    bad = Batches(lambda: iter([({"x": np.zeros(3)}, {}, np.array(["a"] * 5))]), ({}, {}), 1)
    with pytest.raises(ZooError, match=r"'x' cannot be divided: it must have 5 rows"):
        next(iter(rows_of(bad, 0, 2, 2)))


def test_loss_does_not_depend_on_completed_rows():
    model = RECIPE.model.build()
    training = TrainingModel(model, RECIPE.task)
    batches = RECIPE.data.batches(TRAIN[:5], RECIPE.model, model, Epoch(0, 5, 0))
    x, y, _ = next(iter(batches))
    whole_x, whole_y, _ = next(iter(rows_of(batches, 0, 1, 4)))
    assert len(whole_x["x"]) == 8
    expected = training.compute_loss(y=y, y_pred=model(x))
    outputs = {name: np.array(array) for name, array in model(whole_x).items()}
    outputs["logits"][5:] = np.inf
    outputs = {name: keras.ops.convert_to_tensor(array) for name, array in outputs.items()}
    loss = training.compute_loss(y=whole_y, y_pred=outputs)
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)


def test_shared_values_keep_types_and_arrays():
    value = ([{"loss": 0.1, "epoch": 3}], [np.arange(3, dtype=np.uint32), np.float32(2.5)])
    (row,), (first, second) = _unpacked(_packed(value).ljust(2000, b"\0"))
    assert row == {"loss": 0.1, "epoch": 3}
    assert (first.dtype, first.tolist(), second.tolist()) == (np.uint32, [0, 1, 2], 2.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "hosts must be at least 1"),
        ((2, 0), "--rank and --coordinator must be given together"),
        ((2, None, "a:1"), "--rank and --coordinator must be given together"),
        ((2, 2, "a:1"), "rank must be at least 0 and below 2. Received: 2"),
        ((2, -1, "a:1"), "rank must be at least 0"),
        ((2, 0, "a"), "coordinator must be HOST:PORT"),
        ((2, 0, "a:b"), "coordinator must be HOST:PORT"),
        ((2, 0, "a:70000"), "coordinator must be HOST:PORT"),
    ],
)
def test_invalid_places(arguments, message):
    with pytest.raises(ZooError, match=message):
        Place(*arguments)


def test_refusals(refused, tmp_path, monkeypatch):
    one = ("--hosts", "1", "--out", tmp_path / "run")
    assert "trained in one pass: --hosts" in refused("train", AR, *one)
    assert "--hosts cannot be combined with" in refused("train", GRU, *one, "--seeds", "2")
    assert "--rank needs --hosts" in refused("train", GRU, "--rank", "0")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'recurrent-zoo[hosts]'" in refused("train", GRU, *one)
    assert list(tmp_path.iterdir()) == []


def test_causes_of_an_end_by_jax():
    place = Place(2, 1, "10.0.0.1:1234")
    unhealthy = "absl::Status: UNAVAILABLE: The following tasks are unhealthy\n1"
    assert "Another host ended" in hosts._cause(place, unhealthy)
    assert "--resume" in hosts._cause(place, unhealthy)
    unreachable = "DEADLINE_EXCEEDED\nRPC: /xla.coordination.CoordinationService/RegisterTask"
    assert "rank 1 of 2 did not find all 2 hosts at 10.0.0.1:1234" in hosts._cause(
        place, unreachable
    )
    twice = "ABORTED: 1 unexpectedly tried to connect with a different incarnation."
    assert "started twice" in hosts._cause(place, twice)


def test_log_of_jax_is_not_shown(capsys):
    from collections import deque

    lines = [
        "epoch 1/2  loss 0.5",
        "E1130 15:33:58.175981   12390 coordination_service.cc:1549] error",
        "[Gloo] Rank 0 is connected to 1 peer ranks.",
        "    @     0x7febed840634  absl::lts_20260107::log_internal",
        "*** Check failure stack trace: ***",
    ]
    kept: deque[str] = deque()
    hosts._forward([line + "\n" for line in lines], kept)
    assert capsys.readouterr().err == "epoch 1/2  loss 0.5\n"
    assert list(kept) == lines
