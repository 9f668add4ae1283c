"""Tests of skeletons: files, missing joints, the corpus, augmentation, the model and its answers."""

import json
import re

import keras
import numpy as np
import pytest

from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.splits import split_by_group
from zoo.common.presets import store
from zoo.vision_language.motion.corpora.msr_action3d import (
    LIST_FILE,
    SKELETONS_FILE,
    read_msr_action3d,
)
from zoo.vision_language.motion.skeleton_changes import MIRRORED, SkeletonChanges, change
from zoo.vision_language.motion.skeleton_files import (
    HIP_CENTRE,
    JOINTS,
    NECK,
    Skeleton,
    fill_missing,
    read_skeleton,
)
from zoo.vision_language.motion.skeletons import waving

RECIPE = "vision_language/lstm-msr-action3d"
NONE = SkeletonChanges(0, 0, 0, 0, 0, 0, 0)
TINY = {
    "model.projection_size": 6,
    "model.hidden_size": 8,
    "model.layers": 1,
    "training.batch_size": 4,
}
# Speed of the drawn body, by action.
SPEEDS = {"bend": 0.5, "jogging": 2.0}


@pytest.fixture
def recipe():
    return entry(RECIPE).recipe().override(TINY)


def movements(count=4):
    """Return movements of several lengths that wave at one of two speeds."""
    names = list(SPEEDS)
    return [
        Skeleton(f"{i}", names[i % 2], waving(12 + i, SPEEDS[names[i % 2]]), subject=f"s{i % 4}")
        for i in range(count)
    ]


def test_harness(recipe, tmp_path, formats):
    check_model(recipe, movements(), tmp_path / "tiny", formats)


def test_size_position_and_padding_have_no_effect(recipe):
    """A body twice as tall at another position has the same outputs, and so has one with padding."""
    keras.utils.set_random_seed(1)
    model = recipe.model.build()
    joints = waving(14).reshape(1, 14, -1)
    lengths = np.array([14], np.int32)
    expected = model({"joints": joints, "lengths": lengths})
    assert expected["frame_logits"].shape == (1, 14, 20)
    moved = (2 * waving(14) + [1.0, -0.3, 4.0]).reshape(1, 14, -1).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=(1, 5, 60)).astype(np.float32)
    for other in (moved, np.concatenate([joints, noise], axis=1)):
        outputs = model({"joints": other, "lengths": lengths})
        np.testing.assert_allclose(outputs["logits"], expected["logits"], atol=1e-4)
        np.testing.assert_allclose(
            outputs["frame_logits"][:, :14], expected["frame_logits"], atol=1e-4
        )


def test_outputs_at_a_frame_do_not_depend_on_later_frames(recipe):
    """The answer to the clip is the mean over its frames."""
    keras.utils.set_random_seed(1)
    model = recipe.model.build()
    joints = waving(20).reshape(1, 20, -1)
    changed = joints.copy()
    changed[:, 12:] += np.random.default_rng(0).normal(size=(1, 8, 60)).astype(np.float32)
    lengths = np.array([20], np.int32)
    one, other = (
        {key: np.array(value) for key, value in model({"joints": x, "lengths": lengths}).items()}
        for x in (joints, changed)
    )
    np.testing.assert_array_equal(one["frame_logits"][:, :12], other["frame_logits"][:, :12])
    assert np.abs(one["frame_logits"][:, 12:] - other["frame_logits"][:, 12:]).max() > 1e-4
    probabilities = np.array(keras.ops.softmax(one["frame_logits"]))
    np.testing.assert_allclose(np.exp(one["logits"]), probabilities.mean(axis=1), rtol=1e-4)


def test_the_loss_ignores_frames_after_the_end(recipe):
    logits = np.log([[[0.5, 0.5], [0.8, 0.2], [0.1, 0.9]]]).astype(np.float32)
    outputs = {
        "logits": np.log([[0.65, 0.35]]).astype(np.float32),
        "frame_logits": logits,
        "frame_logit_lengths": np.array([2], np.int32),
    }
    loss = float(recipe.task.loss({"label": np.array([1], np.int32)}, outputs)[0])
    frames = -(np.log(0.5) + np.log(0.2)) / 2
    assert loss == pytest.approx(-np.log(0.35) + recipe.task.frame_weight * frames, rel=1e-5)


def test_a_missing_joint_has_its_last_position():
    whole, missing = waving(6), waving(6).astype(np.float64)
    missing[0, 3] = missing[2, 11] = 0
    missing[3, 11] = np.nan
    filled = fill_missing(missing)
    np.testing.assert_array_equal(filled[2, 11], whole[1, 11])
    np.testing.assert_array_equal(filled[3, 11], whole[1, 11])
    np.testing.assert_array_equal(filled[0, 3], whole[1, 3])
    untouched = np.ones((6, 20), bool)
    untouched[0, 3] = untouched[2:4, 11] = False
    np.testing.assert_array_equal(filled[untouched], whole[untouched])


def body(**changes):
    """Return the JSON text of a movement; keyword `f1_2` replaces joint 2 of frame 1."""
    frames = waving(5).round(4).tolist()
    for name, value in changes.items():
        frame, joint = map(int, re.findall(r"\d+", name))
        frames[frame][joint] = value
    return json.dumps({"joints": frames})


def never(joint):
    return {f"f{frame}_{joint}": None for frame in range(5)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{", "invalid JSON"),
        ("[1]", 'it must be a JSON object with "joints"'),
        ('{"joints": 3}', 'there must be a list of frames under the key "joints"'),
        (
            '{"joints": []}',
            "The number of frames must be at least 1 and at most 5,000. Received: 0",
        ),
        ('{"joints": [[[1, 2, 3]]]}', "frame 1 must have 20 joints. Received: 1"),
        (body(f1_4=[1, 2]), r"frame 2, left hip: a joint must be \[x, y, z\].* Received: \[1, 2\]"),
        (body(f1_4=[1, "2", 3]), "frame 2, left hip: a joint must be"),
        (body(f1_4=[1, True, 3]), "frame 2, left hip: a joint must be"),
        (body(f1_4=[1, 10**400, 3]), "frame 2, left hip: a joint must be"),
        (body(f1_4=[1, 1e5, 3]), "coordinates must be numbers of at most 1,000 metres"),
        (body(f1_4=[1, float("inf"), 3]), "coordinates must be numbers of at most 1,000 metres"),
        (
            body(**never(11)),
            "each joint must be present in at least one frame. Received: no left hand",
        ),
        (json.dumps({"joints": [[None] * 20]}), "at least 25% of all joints must be present"),
        (
            json.dumps({"joints": [[[1, 1, 1]] * 20]}),
            "neck and the hips must have different",
        ),
    ],
)
def test_an_invalid_file_is_an_error_of_one_line(tmp_path, text, message):
    path = tmp_path / "body.json"
    path.write_text(text)
    with pytest.raises(ZooError, match=message) as error:
        read_skeleton(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_missing_joints_of_a_file_are_filled(tmp_path):
    path = tmp_path / "body.json"
    for missing in (None, [0, 0, 0], [None, 1, 1], [float("nan"), 1, 1], [3, 4, 5, 0]):
        path.write_text(body(f2_11=missing))
        np.testing.assert_allclose(read_skeleton(path)[2, 11], waving(5)[1, 11], atol=1e-4)
    path.write_text(body(f2_11=[3, 4, 5, 0.5]))
    np.testing.assert_allclose(read_skeleton(path)[2, 11], [3, 4, 5])


def test_an_array_is_an_input(recipe):
    item = recipe.data.read_input(waving(9), recipe.model)
    example = recipe.data.read_example(Skeleton("a", "bend", waving(9)), recipe.model)
    np.testing.assert_array_equal(item["joints"], example["joints"])
    with pytest.raises(ZooError, match=r"numbers \[frames, 20, 3\]. Received: float64 \[9, 60\]"):
        recipe.data.read_input(np.zeros((9, 60)), recipe.model)


def test_a_text_file_of_the_corpus(tmp_path):
    path = tmp_path / "a01.txt"
    lines = [f"{x} {y} {z} 0.0" for x, y, z in waving(3).reshape(-1, 3)]
    path.write_text("\n".join(lines))
    np.testing.assert_allclose(read_skeleton(path), waving(3), atol=1e-6)
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(ZooError, match=r"20 lines for each frame. Received: 59 lines"):
        read_skeleton(path)
    path.write_text("a b c")
    with pytest.raises(ZooError, match=r"line 1 must have numbers. Received: 'a b c'"):
        read_skeleton(path)


def test_the_corpus_is_split_by_subject(tmp_path):
    names = ["a01_s01_e01", "a02_s02_e01", "a20_s03_e01", "a03_s05_e01"]
    frames = [np.concatenate([waving(n), np.ones((n, 20, 1), "f4")], axis=2) for n in (4, 5, 6, 7)]
    lengths = [len(part) for part in frames]
    np.savez(tmp_path / SKELETONS_FILE, names=names, lengths=lengths, frames=np.concatenate(frames))
    (tmp_path / LIST_FILE).write_text("\n".join(names[:3]))  # the last one is not used
    train, test = (read_msr_action3d(tmp_path, split) for split in ("train", "test"))
    assert [e.id for e in train] == ["a01_s01_e01", "a20_s03_e01"]
    assert [(e.label, e.subject, len(e.joints)) for e in test] == [("horizontal arm wave", "02", 5)]
    assert train[1].label == "pick up and throw"
    (tmp_path / SKELETONS_FILE).write_bytes(b"PK no archive")
    with pytest.raises(ZooError, match=r"skeletons.npz is corrupt"):
        read_msr_action3d(tmp_path, "train")


def test_changes_are_random_and_within_limits():
    joints = waving(30)
    np.testing.assert_allclose(change(joints, NONE, np.random.default_rng(0)), joints, atol=1e-6)
    by = SkeletonChanges()
    one, again, other = (change(joints, by, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.shape != other.shape or np.abs(one - other).max() > 1e-3
    for changed in (one, other):
        assert 30 * np.exp(-by.tempo) * 0.6 < len(changed) < 30 * np.exp(by.tempo) + 1
        torso = np.linalg.norm(changed[:, NECK] - changed[:, HIP_CENTRE], axis=1)
        assert 0.3 < torso.min() < torso.max() < 0.5
    assert len(change(waving(1), by, np.random.default_rng(0))) >= 1


def test_a_mirrored_body_moves_the_other_hand():
    by = SkeletonChanges(0, 1, 0, 0, 0, 0, 0)
    mirrored = change(waving(10), by, np.random.default_rng(0))
    left, right = (JOINTS.index(f"{side} hand") for side in ("left", "right"))
    assert np.ptp(mirrored[:, right], axis=0).max() > 0.2
    assert np.ptp(mirrored[:, left], axis=0).max() < 1e-5
    np.testing.assert_array_equal(np.array(MIRRORED)[MIRRORED], range(20))


def test_dev_has_other_subjects(recipe):
    train, dev = split_by_group(movements(8), recipe.data.group_of, 0.25, seed=0)
    assert len(dev) == 2
    assert not {e.subject for e in train} & {e.subject for e in dev}


@pytest.mark.slow
def test_from_the_command_line(run_zoo, tmp_path):
    """Overfit a manifest, predict a folder with an invalid file, plot and evaluate."""
    manifest, run = tmp_path / "moves.jsonl", tmp_path / "run"
    rows = [{"action": e.label, "joints": e.joints.tolist()} for e in movements()]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    small = {"model.projection_size": 16, "model.hidden_size": 16, "model.layers": 1}
    small |= {"model.dropout": 0, "optimizer.learning_rate": 0.02, "training.epochs": 12}
    settings = [text for key, value in small.items() for text in ("--set", f"{key}={value}")]
    answer = run_zoo(
        "train", RECIPE, "--manifest", manifest, "--overfit", 4, "--out", run, *settings, "--json"
    )
    assert answer.status == 0, answer.err
    assert answer.json["best"]["accuracy"] == 1
    assert store.load_recipe(run).data.labels.symbols == ("bend", "jogging")

    folder = tmp_path / "inputs"
    folder.mkdir()
    (folder / "bad.json").write_text("{}")
    (folder / "good.json").write_text(json.dumps(rows[1]))
    answer = run_zoo("predict", run, folder, "--json")
    bad_answer, good_answer = answer.json["predictions"]
    assert answer.status == 1
    assert "there must be a list of frames" in bad_answer["error"]
    assert (good_answer["output"], good_answer["seconds"]) == ("jogging", round(13 / 15, 3))
    first, last = good_answer["frames"][0], good_answer["frames"][-1]
    assert first["begin"] == 0
    assert (last["end"], last["label"]) == (0.867, "jogging")
    assert set(last) == {"begin", "end", "label", "confidence"}

    picture = tmp_path / "good.png"
    answer = run_zoo("plot", run, folder / "good.json", "--out", picture)
    assert answer.status == 0, answer.err
    assert picture.read_bytes().startswith(b"\x89PNG")
    answer = run_zoo("evaluate", run, "--manifest", manifest, "--json")
    assert answer.json["metrics"]["accuracy"] == 1
    assert 0 < answer.json["metrics"]["frame_accuracy"] <= 1
    assert answer.json["metrics"]["first_frame_accuracy"] in (0, 0.25, 0.5, 0.75, 1)
