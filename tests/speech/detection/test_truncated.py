"""Recordings that end early are analysed up to there, with a warning in the answer."""

import numpy as np
import pytest
import soundfile

from tests.speech.detection.test_events import predictor, write_tone
from zoo.common.core.errors import ZooError
from zoo.speech.audio.reading import recording_seconds


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".opus"])
def test_detections_up_to_the_cut(tmp_path, capsys, suffix):
    """The tone from 6 s to 8 s is before the cut, at about 15 s of 20 s."""
    coding = {"format": "OGG", "subtype": "OPUS"} if suffix == ".opus" else {}
    path = write_tone(tmp_path / f"a{suffix}", 8_000, **coding)
    whole = path.read_bytes()
    task, model = predictor()
    (expected,) = task.predict(model, [str(path)])
    assert len(expected["detections"]) == 1
    assert "warning" not in expected
    path.write_bytes(whole[: len(whole) * 3 // 4])
    (answer,) = task.predict(model, [str(path)])
    assert answer["detections"] == expected["detections"]
    assert answer["warning"].startswith("It was analysed up to its end: truncated")
    assert 13.9 < answer["seconds"] < 16
    assert f"Warning: {path}: truncated" in capsys.readouterr().err


def test_a_cut_clip(tmp_path):
    """The end of a recording may be as short as a clip."""
    path = write_tone(tmp_path / "a.wav", 8_000)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 8_000 * 3])
    task, model = predictor()
    (answer,) = task.predict(model, [str(path)])
    assert answer["detections"] == []
    assert answer["seconds"] == 3
    assert "warning" in answer
    with pytest.raises(ZooError, match="truncated"):
        recording_seconds(path)


def test_other_damages_are_errors(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 160_000), 8_000)
    content = bytearray(path.read_bytes())
    content[26] ^= 1  # the digest in the header
    path.write_bytes(content)
    task, model = predictor()
    (answer,) = task.predict(model, [str(path)])
    assert "damaged" in answer["error"]
