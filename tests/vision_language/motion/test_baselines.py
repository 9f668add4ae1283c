"""The baseline of skeletons."""

import json

import numpy as np

from zoo.vision_language.motion.baselines import statistics
from zoo.vision_language.motion.skeletons import waving

RECIPE = "vision_language/lstm-msr-action3d"


def of(joints):
    inputs = {"joints": joints.reshape(1, len(joints), -1), "lengths": np.array([len(joints)])}
    return statistics(inputs)[0]


def test_place_and_size_have_no_effect():
    joints = waving(20)
    np.testing.assert_allclose(of(3 * joints + [1, 2, 3]), of(joints), atol=1e-5)
    assert np.isfinite(of(joints[:1])).all()
    assert np.isfinite(of(0 * joints)).all()


def test_padding_has_no_effect():
    joints = waving(20).reshape(1, 20, -1)
    padded = np.pad(joints, ((0, 0), (0, 5), (0, 0)), constant_values=7)
    np.testing.assert_array_equal(
        statistics({"joints": padded, "lengths": np.array([20])}), of(waving(20))[None]
    )


def test_speeds_are_separated(run_zoo, tmp_path):
    rows = [
        {"action": action, "subject": f"{n}", "joints": waving(20 + n, speed).tolist()}
        for n in range(10)
        for action, speed in (("slow", 0.5), ("fast", 2.0))
    ]
    path = tmp_path / "movements.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = run_zoo("baseline", RECIPE, "--manifest", path, "--json").json
    assert answer["metrics"] == {"accuracy": 1.0, "f1_macro": 1.0, "auc": 1.0}
    assert "f1_macro" in answer["intervals"]
