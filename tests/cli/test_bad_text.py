"""Texts that a language model cannot read: one clear line for each."""

import pytest

from zoo.api.train import train
from zoo.cli.output import MAX_CHARACTERS

TEXT = "the company said it expects a loss\nthe loss is small\n" * 30


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run of a bigram model of a few words."""
    folder = tmp_path_factory.mktemp("text")
    (folder / "text.txt").write_text(TEXT)
    train("language/kn5-ptb", manifest=folder / "text.txt", out=folder / "run")
    return folder / "run"


def error_of(answer):
    """The one line that an answer is."""
    (line,) = answer.out.splitlines()
    assert (answer.status, answer.err) == (1, "")
    return line


@pytest.mark.parametrize("verb", ["score", "predict"])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "'': error: The text is empty."),
        (" \n\t", " \\n\\t: error: The text is empty."),
        ("zq xy", "zq xy: error: No word of the text is in the vocabulary of 11 words."),
        ("zq\x1b[31m\x00", "zq\\x1b[31m\\x00: error: No word of the text"),
        (
            "the \udcff",
            "the \\udcff: error: The text is not UTF-8: the character at position 4 is invalid.",
        ),
    ],
)
def test_a_text_that_cannot_be_read(run_zoo, run, verb, text, line):
    assert error_of(run_zoo(verb, run, text)).startswith(line)


def test_only_the_beginning_of_a_long_line_is_shown(run_zoo, run):
    line = error_of(run_zoo("score", run, "zq" * 2**19))
    assert line.startswith("zq" * (MAX_CHARACTERS // 2) + "...: error: No word of the text")
    assert len(line) < 600


def test_a_long_line_is_read(run_zoo, run):
    words = 2**14
    (answer,) = run_zoo("score", run, "the loss " * (words // 2), "--json").json["scores"]
    assert len(answer["tokens"]) == words


def test_a_file_of_unknown_words_has_no_perplexity(refused, run_zoo, run, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("zq xy\n" * 20)
    error = refused("evaluate", run, "--manifest", path)
    assert "None of the 40 tokens is in the vocabulary of 11 tokens." in error
    path.write_text("the zq\n" * 20)
    out = run_zoo("evaluate", run, "--manifest", path).out
    assert "60 tokens, vocabulary of 11, 20 tokens are <unk>" in out


@pytest.mark.parametrize("verb", ["evaluate", "mix", "train"])
def test_a_file_in_another_encoding(refused, run, tmp_path, verb):
    path = tmp_path / "text.txt"
    path.write_bytes("the loss\nof a caf\u00e9\n".encode("latin1"))
    names = {"evaluate": (run,), "mix": (run, run), "train": ("language/kn5-ptb",)}[verb]
    assert "line 2: not UTF-8: byte 17 is 0xe9" in refused(verb, *names, "--manifest", path)
