"""The baseline of labelled series."""

import numpy as np

from zoo.timeseries.classification.baselines import statistics


def test_statistics_of_a_line():
    series = np.zeros((1, 6, 2), np.float32)
    series[0, :5, 0] = [0, 2, 4, 6, 8]  # mean 4, slope 2 per step
    series[0, :5, 1] = 3
    series[0, 5] = 100  # padding
    (row,) = statistics({"series": series, "lengths": np.array([5])})
    np.testing.assert_allclose(row[:6], [4, 3, np.sqrt(8), 0, 2, 0])
    np.testing.assert_allclose(row[6:], [0, 2, 4, 6, 8, 3, 3, 3, 3, 3])


def test_series_of_one_step():
    inputs = {"series": np.ones((1, 1, 1), np.float32), "lengths": np.array([1])}
    np.testing.assert_array_equal(statistics(inputs)[0], [1, 0, 0, 1, 1, 1, 1, 1])


def test_two_classes_are_separated(run_zoo, write):
    head = ("@dimensions 1", "@classLabel true up down", "@data")
    up = [",".join(f"{(2 + n) * t}" for t in range(6)) + ":up" for n in range(12)]
    down = [",".join(f"{-(2 + n) * t}" for t in range(6)) + ":down" for n in range(12)]
    path = write(*head, *up, *down, name="two.ts")
    answer = run_zoo(
        "baseline", "timeseries/bilstm-japanese-vowels", "--manifest", path, "--json"
    ).json
    metrics = answer["metrics"]
    assert 0 < metrics.pop("cross_entropy") < np.log(2)  # of equal probabilities
    assert metrics == {"accuracy": 1.0, "f1_macro": 1.0, "auc": 1.0}
