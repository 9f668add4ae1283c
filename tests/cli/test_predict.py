"""`zoo predict` and `zoo score`: answers, and the options of a decoder."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import zoo
from tests.cli.test_main import COMMAND, run
from zoo.api import options as api_options
from zoo.cli import decoding
from zoo.cli.main import parse
from zoo.common.core.decoder import Decoder, option, resource
from zoo.common.core.errors import ZooError
from zoo.common.tasks.ctc import CTC


def test_predict(run_zoo, tiny_run, clips):
    answer = run_zoo("predict", tiny_run, *clips, "--json")
    assert answer.status == 0
    assert answer.err == ""
    assert set(answer.json) == {"preset", "predictions"}
    assert answer.json["preset"] == str(tiny_run)
    for clip, prediction in zip(clips, answer.json["predictions"], strict=True):
        assert set(prediction) == {"input", "output", "log_probability", "confidence", "seconds"}
        assert prediction["input"] == clip
        assert prediction["log_probability"] < 0
    text = run_zoo("predict", tiny_run, *clips).out.splitlines()
    assert text == [f"{p['input']}: {p['output']}" for p in answer.json["predictions"]]
    (first, _) = answer.json["predictions"]
    assert run_zoo("predict", tiny_run, clips[0]).out == first["output"] + "\n"
    loaded = zoo.load(str(tiny_run))
    assert list(loaded.predict(clips)) == answer.json["predictions"]


def test_predict_prints_only_its_answer(tiny_run, clips):
    done = run(*COMMAND, "predict", str(tiny_run), clips[0], "missing.wav", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("\n") == 1
    assert len(json.loads(done.stdout)["predictions"]) == 2


@pytest.mark.parametrize("form", [[], ["--jsonl"], ["--json"]])
def test_each_answer_is_printed_when_it_is_available(run_zoo, tiny_run, capsys, monkeypatch, form):
    seen = []

    def predict(self, predictor, inputs) -> Iterator[dict]:
        for source in inputs:
            seen.append(capsys.readouterr().out)
            yield {"input": source, "output": "yes"}

    monkeypatch.setattr(CTC, "predict", predict)
    answer = run_zoo("predict", tiny_run, "a.wav", "b.wav", *form)
    first, last = {"input": "a.wav", "output": "yes"}, {"input": "b.wav", "output": "yes"}
    if form == ["--json"]:
        assert seen == ["", ""]
        assert answer.json == {"preset": str(tiny_run), "predictions": [first, last]}
    elif form == ["--jsonl"]:
        assert [seen[0], json.loads(seen[1]), json.loads(answer.out)] == ["", first, last]
    else:
        assert [*seen, answer.out] == ["", "a.wav: yes\n", "b.wav: yes\n"]


def test_two_forms_of_an_answer(run_zoo, tiny_run, clips):
    answer = run_zoo("predict", tiny_run, clips[0], "--json", "--jsonl")
    assert (answer.status, answer.json) == (1, {"error": "--json and --jsonl exclude each other."})


def test_decoder_options(run_zoo, tiny_run, clips):
    def answer(*options):
        (prediction,) = run_zoo("predict", "--json", *options).json["predictions"]
        return prediction

    wide = answer(tiny_run, clips[0])
    greedy = answer("--beam-width", "1", tiny_run, clips[0])
    assert greedy["log_probability"] < wide["log_probability"]  # of one path, not of all
    assert answer(tiny_run, "--beam-width=1", "--", clips[0]) == greedy
    assert "words" in answer("--times", tiny_run, clips[0])  # a flag takes no value
    best = answer(tiny_run, clips[0], "--n-best", 3)["alternatives"]
    assert len(best) == 3
    narrow = answer(tiny_run, clips[0], "--beam-width", 1, "--n-best", 3)["alternatives"]
    assert narrow == answer(tiny_run, clips[0], "--beam-width", 3, "--n-best", 3)["alternatives"]
    text = run_zoo("predict", tiny_run, clips[0], "--n-best", 3).out.splitlines()
    assert [line.split()[0] for line in text[2:]] == [row["output"].split()[0] for row in best]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--beam-with", "8"],
            "has no option --beam-with. Valid: --beam-width, --n-best, --times, ",
        ),
        (["--beam-with=8"], "has no option --beam-with."),
        (["--beam"], "has no option --beam."),
        (["--beam-width", "eight"], "--beam-width must be an integer. Received: 'eight'."),
        (["--beam-width", "0"], "beam_width must be at least 1"),
        (["--n-best", "0"], "n_best must be at least 1 and at most 10,000. Received: 0."),
        (["--backend", "tpu"], "must be one of 'auto', 'keras', 'savedmodel', 'onnx', 'litert', "),
    ],
)
def test_decoder_options_that_do_not_fit(refused, tiny_run, clips, options, words):
    assert words in refused("predict", *options, tiny_run, clips[0])
    assert words in refused("predict", tiny_run, clips[0], *options)


def test_usage_of_decoder_options(refused, tiny_run, clips):
    line = refused("predict", tiny_run, clips[0], "--beam-width", status=2)
    assert "expected one argument" in line
    line = refused("predict", tiny_run, clips[0], "--times=yes", status=2)
    assert "--times" in line


def test_help_lists_the_options_of_the_preset(run_zoo, tiny_run):
    for verb in ("predict", "evaluate", "plot"):
        help_ = " ".join(run_zoo(verb, tiny_run, "--help").out.split())
        assert "--beam-width INT number of labellings the prefix beam search keeps" in help_
        assert "(default: 32)" in help_
        assert "--times, --no-times" in help_
        assert "--temperature" not in help_
    assert "--beam-width INT" not in run_zoo("predict", "--help").out


def test_a_score_has_no_options_of_a_decoder(run_zoo, refused, tiny_run):
    assert "options of the decoder" not in run_zoo("score", tiny_run, "--help").out
    assert "--beam-width 3" in refused("score", tiny_run, "hi", "--beam-width", "3", status=2)


def test_help_of_a_preset_has_an_example_of_it(run_zoo, refused):
    help_ = run_zoo("predict", "language/bilstm-sst2", "--help").out
    assert help_.endswith("example:\n  zoo predict language/bilstm-sst2 'A fine film.'\n")
    line = refused("predict", "language/bilstm-sst", "--help")
    assert "Did you mean 'language/bilstm-sst2'" in line
    assert "see zoo predict PRESET --help" in run_zoo("predict", "--help").out


@dataclass(frozen=True)
class Rich(Decoder):
    """An option of each kind."""

    width: int = option(8, "how wide")
    weight: float = option(0.5, "how heavy: 100%")
    casing: str = option("lower", "which letters")
    quiet: bool = option(True, "no words")
    lexicon: Path | None = resource("the valid words")
    fixed: int = 3


@pytest.fixture
def rich(tiny_run, monkeypatch):
    """The tiny run, as if its decoder were `Rich`."""
    recipe = replace(api_options.find_recipe(str(tiny_run)), decoder=Rich())
    monkeypatch.setattr(api_options, "find_recipe", lambda name: recipe)
    return recipe


def test_options_have_the_types_of_their_fields(run_zoo, rich, tiny_run):
    line = [
        "predict",
        str(tiny_run),
        "a.wav",
        "--no-quiet",
        "--weight",
        ".25",
        "--lexicon",
        "w.txt",
    ]
    given = decoding.given_options(parse([*line, "b.wav", "--casing=upper"]))
    assert given == {"quiet": False, "weight": ".25", "lexicon": "w.txt", "casing": "upper"}
    decoder = api_options.set_options("it", rich, given).decoder
    assert decoder == Rich(weight=0.25, casing="upper", quiet=False, lexicon=Path("w.txt"))
    help_ = run_zoo("predict", tiny_run, "--help").out
    for words in ("--width INT", "--weight NUMBER", "--casing TEXT", "--lexicon FILE"):
        assert words in help_
    assert re.search(r"how heavy: 100% \(default:\s+0.5\)", help_)
    assert "--fixed" not in help_
    with pytest.raises(ZooError, match="it has no option --fixed"):
        api_options.set_options("it", rich, {"fixed": 4})


def test_all_arguments_after_two_dashes_are_inputs(tiny_run):
    options = parse(
        ["predict", str(tiny_run), "--json", "--", "--json", "-5", "--", "--beam-width"]
    )
    assert options.json
    assert options.input == ["--json", "-5", "--", "--beam-width"]


def test_score_needs_a_language_model(refused, tiny_run):
    assert "does not support scoring" in refused("score", tiny_run, "hello")


def test_a_name_that_is_not_unicode(run_zoo, tiny_run):
    answer = run_zoo("predict", tiny_run, "\udcff.wav", "--json")
    assert answer.json["predictions"][0]["input"] == "\udcff.wav"
    answer = run_zoo("predict", tiny_run, "\udcff.wav")
    assert (answer.status, answer.err) == (1, "")
