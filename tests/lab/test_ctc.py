"""Test the CTC experiment: sums over paths, the recursion, the zoo's loss, and spikes."""

import numpy as np
import pytest

from tests.lab.harness import lab
from zoo.lab import ctc_paths, spikes
from zoo.lab.experiments.ctc import PROBABILITIES


@pytest.mark.parametrize(
    ("path", "labelling"),
    [("----", ""), ("aab-", "ab"), ("a-ab", "aab"), ("-b-b", "bb"), ("bbbb", "b")],
)
def test_collapse(path, labelling):
    assert ctc_paths.collapse(path) == labelling


def test_probabilities_of_three_methods_agree():
    labellings = ctc_paths.by_hand(PROBABILITIES)
    assert len(ctc_paths.all_paths(PROBABILITIES)) == 81
    assert sum(labellings.values()) == pytest.approx(1.0)
    assert next(iter(labellings)) == "ab"
    for labelling, probability in labellings.items():
        recursion, alpha = ctc_paths.by_recursion(PROBABILITIES, labelling)
        assert recursion == pytest.approx(probability, rel=1e-12)
        assert alpha.shape == (4, 2 * len(labelling) + 1)
        if labelling:
            assert ctc_paths.by_loss(PROBABILITIES, labelling) == pytest.approx(
                probability, rel=1e-5
            )


def test_sequences_contain_their_labels():
    found = spikes.sequences(np.random.default_rng(3), 20)
    assert found.x.shape == (20, spikes.FRAMES, spikes.FEATURES)
    assert found.labels.min() >= 1
    assert found.labels.max() < spikes.SYMBOLS
    starts, ends = found.spans[..., 0], found.spans[..., 1]
    lengths = ends - starts
    assert (lengths.min(), lengths.max()) == (4, 8)
    assert (starts[:, 1:] - ends[:, :-1] >= 2).all()
    assert ends.max() < spikes.FRAMES


def test_shape_of_a_spike():
    posterior = np.full((10, 3), 0.1)
    posterior[3, 1], posterior[7, 2] = 0.9, 0.5
    (height, width), (second, _) = spikes.spike_shapes(
        posterior, np.array([1, 2]), np.array([3, 7])
    )
    # The border is halfway, at frame 5: four frames of 0.1 and one of 0.9.
    assert (height, second) == (0.9, 0.5)
    assert width == pytest.approx((0.9 + 4 * 0.1) / 0.9)


@pytest.mark.slow
def test_ctc_experiment():
    numbers = lab("ctc").numbers
    assert len(numbers["paths"]) == 15
    assert numbers["sums"]["by_hand"] == pytest.approx(0.4317)
    assert numbers["largest_difference"] < 1e-6
    assert numbers["searches"]["greedy"] == {
        "labelling": "aab",
        "probability": pytest.approx(0.168),
    }
    assert numbers["searches"]["beam"] == {"labelling": "ab", "probability": pytest.approx(0.4317)}
    first, *_, last = numbers["training"]
    assert last["loss"] < 1 < first["loss"]
    assert last["label_error_rate"] < 0.1
    assert last["height"] > 0.85 > 0.5 > first["height"]
    assert last["width"] < first["width"] / 2
