"""Test the wheels in environments outside the clone: presets answer, and a published one is stored."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import zoo
from zoo.api.sharing import write_index
from zoo.common.presets import store

REPOSITORY = Path(zoo.__file__).parents[1]
CLIP = REPOSITORY / "zoo/speech/samples/an427-fvap-b.flac"
LASER = REPOSITORY / "zoo/timeseries/samples/laser.txt"
STROKES = '{"strokes": [[[0, 0], [4, 9], [8, 0]], [[2, 4], [6, 4]]]}'
# Package indexes reject larger files.
MOST_BYTES = 95e6
# Presets that the wheel has, at least one of each family, and one that it does not have.
ANSWERS = [
    ("speech/deepspeech-an4", CLIP),
    ("language/charlstm-hello", "h"),
    ("timeseries/ar-laser", LASER),
    ("timeseries/lstm-laser", LASER),
    ("vision_language/blstm-ctc-gw-online", "word.json"),
]
LARGE = "speech/bilstm-ctc-an4"
CAPTIONER = "vision_language/show-and-tell-rsicd"
# Packages that only training, evaluation and plots need.
ABSENT = ("jiwer", "matplotlib", "pycocoevalcap", "sacrebleu", "sentencepiece", "tensorboard")
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Return the wheels of the zoo and of its vision_language presets."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (REPOSITORY, REPOSITORY / "packages/vision_language"):
        pip("wheel", "--no-deps", "-w", folder, project)
    found = [*folder.glob("recurrent_zoo-*.whl"), *folder.glob("recurrent_zoo_vision_*.whl")]
    assert all(wheel.stat().st_size < MOST_BYTES for wheel in found)
    return found


def pip(*arguments, python=sys.executable):
    # In the folder of the clone, pip would find the clone and regard it as installed.
    folder, command = Path(python).parent, [python, "-m", "pip", "--quiet", *arguments]
    subprocess.run(command, check=True, cwd=folder, env=ENVIRONMENT)


def start(command, folder, **variables):
    """Return a completed command, run in a folder where the clone cannot be imported."""
    environment = ENVIRONMENT | {
        "ZOO_HOME": str(folder / "home"),
        "ZOO_CACHE": str(folder / "cache"),
        **variables,
    }
    command = list(map(str, command))
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def run(command, folder):
    """Return the output of a command that must succeed."""
    done = start(command, folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(command, folder):
    """Return the error line of a command that must fail."""
    done = start(command, folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def check_absent(modules, python, folder):
    for module in modules:
        assert start([python, "-c", f"import {module}"], folder).returncode != 0, module


@pytest.fixture(scope="module")
def fresh(wheels, tmp_path_factory):
    """Return the Python of an environment with the zoo's wheel and its dependencies only."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    pip("install", wheels[0], python=python)
    return python


def test_presets_of_every_family_answer(fresh, wheels, tmp_path):
    from PIL import Image

    check_absent(ABSENT, fresh, tmp_path)
    command = [fresh.with_name("zoo")]
    assert run([*command, "--version"], tmp_path) == f"zoo {zoo.__version__}\n"

    def answers(preset, given):
        answer = run([*command, "predict", preset, given, "--json"], tmp_path)
        (answer,) = json.loads(answer)["predictions"]
        assert "error" not in answer, answer

    (tmp_path / "word.json").write_text(STROKES)
    for preset, given in ANSWERS:
        answers(preset, given)
    listed = json.loads(run([*command, "list", "--json"], tmp_path))["models"]
    states = {row["name"]: row["preset"] for row in listed}
    assert {states[preset] for preset, _ in ANSWERS} == {store.SHIPPED}
    assert {states[LARGE], states[CAPTIONER]} == {store.NOT_INSTALLED}

    # Another preset is fetched from an index.
    assert "set ZOO_PRESETS to" in refused([*command, "predict", LARGE, CLIP], tmp_path)
    write_index(tmp_path / "index", zoo.__version__)
    code = "import sys, zoo; print(next(zoo.load(sys.argv[1]).predict(sys.argv[2:]))['output'])"
    done = start([fresh, "-c", code, LARGE, CLIP], tmp_path, ZOO_PRESETS=str(tmp_path / "index"))
    assert done.stdout.endswith(" FIFTY SIX\n")
    assert done.stderr.startswith(f"Fetching the preset {LARGE} {zoo.__version__} from ")

    # The presets of the family with the largest files have a wheel of their own.
    Image.new("RGB", (64, 64), "green").save(tmp_path / "field.png")
    line = refused([*command, "predict", CAPTIONER, "field.png"], tmp_path)
    assert "pip install 'recurrent-zoo[vision_language]'" in line
    pip("install", "--no-deps", wheels[1], python=fresh)
    answers(CAPTIONER, "field.png")


def test_exports_answer_without_tensorflow(wheels, tmp_path):
    """The environment has the packages that docs/exports.md lists."""
    name, clip = ANSWERS[0]
    zoo.export(name, "onnx", tmp_path / "exported")
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare/bin/python"
    needed = ("numpy", "pillow", "platformdirs", "soundfile", "soxr", "tqdm", "onnxruntime")
    pip("install", *needed, python=python)
    pip("install", "--no-deps", wheels[0], python=python)
    check_absent(("tensorflow", "keras", *ABSENT), python, tmp_path)
    zoo_ = python.with_name("zoo")
    right = next(zoo.load(name).predict([str(clip)]))["output"]
    assert run([zoo_, "predict", "exported", clip], tmp_path) == f"{right}\n"
    code = (
        "import sys, zoo; preset = zoo.load('exported', runtime='onnx');"
        "print(next(preset.predict(sys.argv[1:]))['output'])"
    )
    assert run([python, "-c", code, clip], tmp_path) == f"{right}\n"
    line = refused([zoo_, "predict", name, clip], tmp_path)
    assert line.startswith("zoo: TensorFlow is not installed: ")


def test_published_preset_is_stored_in_the_folder_of_the_user(wheels, tmp_path):
    """Training uses packages of the current environment."""
    site = tmp_path / "site"
    pip("install", "--no-deps", "--target", site, wheels[0])
    before = sorted(site.rglob("*"))
    name = "language/charlstm-hello"
    for arguments in (
        ("train", name, "--out", "run", "--set", "training.epochs=1"),
        ("publish", "run"),
    ):
        command = [sys.executable, "-m", "zoo.cli.main", *arguments]
        subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(site), "ZOO_HOME": str(tmp_path / "home")},
            check=True,
        )
    assert (tmp_path / "home/saved_models" / name / "CARD.md").exists()
    after = [path for path in sorted(site.rglob("*")) if "__pycache__" not in path.parts]
    assert after == [path for path in before if "__pycache__" not in path.parts]
