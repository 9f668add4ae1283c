"""The wheel, installed away from the clone: it holds the presets, and a published one goes home."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

REPOSITORY = Path(zoo.__file__).parents[1]
CLIP = REPOSITORY / "zoo/speech/samples/an427-fvap-b.flac"
LASER = REPOSITORY / "zoo/timeseries/samples/laser.txt"
STROKES = '{"strokes": [[[0, 0], [4, 9], [8, 0]], [[2, 4], [6, 4]]]}'

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the installed package, and nothing of the clone."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, REPOSITORY], check=True)
    (wheel,) = folder.glob("recurrent_zoo-*.whl")
    assert wheel.stat().st_size < 95e6
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True)
    return target


@pytest.fixture
def run(installed, tmp_path):
    def run(*arguments):
        environment = os.environ | {
            "PYTHONPATH": str(installed),
            "ZOO_HOME": str(tmp_path / "home"),
        }
        command = [sys.executable, "-m", "zoo.cli.main", *map(str, arguments)]
        answer = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    return run


def test_every_family_answers(run, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), "green").save(tmp_path / "field.png")
    (tmp_path / "word.json").write_text(STROKES)
    for preset, given in [
        ("speech/bilstm-ctc-an4", CLIP),
        ("language/charlstm-hello", "h"),
        ("timeseries/ar-laser", LASER),
        ("vision_language/show-and-tell-rsicd", "field.png"),
        ("vision_language/blstm-ctc-gw-online", "word.json"),
    ]:
        (answer,) = json.loads(run("predict", preset, given, "--json"))["predictions"]
        assert "error" not in answer, answer
    assert zoo.__version__ in run("--version")


def test_a_published_preset_goes_to_the_users_folder(run, installed, tmp_path):
    before = sorted(installed.rglob("*"))
    name = "language/charlstm-hello"
    run("train", name, "--out", "run", "--set", "training.epochs=1")
    run("publish", "run")
    assert (tmp_path / "home/saved_models" / name / "CARD.md").exists()
    after = [path for path in sorted(installed.rglob("*")) if "__pycache__" not in path.parts]
    assert after == [path for path in before if "__pycache__" not in path.parts]
