"""`zoo mix` and `zoo compare`: models on the same text, and models that cannot be compared."""

import numpy as np
import pytest

import zoo
from tests.language.test_corpora import WIKITEXT
from zoo.api.train import train
from zoo.language.modelling.disagreement import LONGEST, SHORTEST

RECIPE = "language/kn5-ptb"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A corpus in PTB's form: lines of WikiText-2, every second one in train."""
    folder = tmp_path_factory.mktemp("mix") / "ptb"
    folder.mkdir()
    text = (WIKITEXT / "wiki.valid.tokens").read_text(encoding="utf-8")
    lines = [" ".join(words) for words in np.array_split(text.split(), 90)]
    for part, chosen in (("train", lines[::2]), ("valid", lines[1::4]), ("test", lines[3::4])):
        (folder / f"ptb.{part}.txt").write_text("".join(f"{line}\n" for line in chosen))
    return folder


@pytest.fixture(scope="module")
def runs(corpus):
    """Folders of a unigram and a trigram model of words, by order."""
    folders = {order: corpus.parent / f"order{order}" for order in (1, 3)}
    for order, folder in folders.items():
        train(RECIPE, data=corpus, out=folder, overrides={"model.order": order})
    return folders


@pytest.mark.parametrize("split", ["dev", "test"])
def test_a_mixture_is_evaluated_as_each_model_is(run_zoo, corpus, runs, split):
    command = ("--data", corpus, "--split", split, "--json")
    answer = run_zoo("mix", *runs.values(), *command)
    assert ("the test split" in answer.err) == (split == "test")
    result = answer.json
    assert (result["corpus"], result["split"], result["fitted_on"]) == ("ptb", split, "dev")
    assert sum(model["weight"] for model in result["models"]) == pytest.approx(1)
    for model in result["models"]:
        alone = run_zoo("evaluate", model["model"], *command).json
        assert model["perplexity"] == pytest.approx(alone["metrics"]["perplexity"], abs=1e-5)
        assert alone["examples"] == result["tokens"]
        if split == "dev":
            assert result["perplexity"] <= model["perplexity"]


def test_a_file_is_scored_as_it_is_evaluated(run_zoo, runs, tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("the film was released in\n\nhe was the first xyzzy\nof the game")
    measured = run_zoo("evaluate", runs[3], "--manifest", path, "--split", "all", "--json").json
    scored = zoo.score(runs[3], str(path))
    assert [len(score["tokens"]) for score in scored] == [6, 1, 6, 4]
    assert {score["tokens"][-1]["token"] for score in scored} == {"<eos>"}
    assert scored.perplexity == pytest.approx(measured["metrics"]["perplexity"])
    answer = run_zoo("score", runs[3], path)
    assert f"Perplexity of all 4 texts: {scored.perplexity:.2f}" in answer.err
    # The states of a text do not depend on the file that was read before it.
    again = zoo.score(runs[3], [str(path), "the film", str(path)])
    assert again[:4] == again[5:] == tuple(scored)
    assert len(again[4]["tokens"]) == 2


def test_weights_are_fitted_on_dev(run_zoo, corpus, runs):
    command = ("mix", *runs.values(), "--data", corpus, "--json")
    dev, test = run_zoo(*command), run_zoo(*command, "--split", "test")
    weights = [[model["weight"] for model in answer.json["models"]] for answer in (dev, test)]
    assert weights[0] == weights[1]
    assert dev.json["perplexity"] != test.json["perplexity"]


def test_a_model_mixed_with_itself_is_that_model(run_zoo, corpus, runs):
    result = run_zoo("mix", runs[3], runs[3], "--data", corpus, "--json").json
    assert result["perplexity"] == pytest.approx(result["models"][0]["perplexity"])
    assert "perplexity" in run_zoo("mix", runs[1], runs[3], "--data", corpus).out


def test_compare(run_zoo, corpus, runs, tmp_path):
    picture = tmp_path / "words.png"
    names = [runs[1], runs[3], runs[1]]
    command = ("compare", *names, "--data", corpus, "--lines", 3, "--plot", picture)
    result = run_zoo(*command, "--json").json
    assert [row["model"] for row in result["models"]] == [str(name) for name in names]
    assert [len(row["models"]) for row in result["mixtures"]] == [2, 2, 3]
    mixed = run_zoo("mix", *names[:2], "--data", corpus, "--json").json["perplexity"]
    assert result["mixtures"][0]["perplexity"] == pytest.approx(mixed)
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = run_zoo(*command).out
    assert f"{runs[1]} + {runs[3]}" in text
    assert str(picture) in text


def test_compare_shows_the_lines_that_differ_most(run_zoo, corpus, runs):
    def gain(line):
        return np.mean([np.diff(token["log_probabilities"]) for token in line["tokens"]])

    command = ("compare", runs[1], runs[3], "--data", corpus, "--json", "--lines")
    every, some = (run_zoo(*command, count).json["disagreements"] for count in (1000, 3))
    lines = (corpus / "ptb.valid.txt").read_text().splitlines()
    fitting = [line for line in lines if SHORTEST <= len(line.split()) + 1 <= LONGEST]
    assert len(every) == len(fitting) > 10
    gains = sorted(map(gain, every))
    assert [gain(line) for line in some] == pytest.approx([*gains[:-3:-1], gains[0]])
    words = [token["token"] for token in some[0]["tokens"]]
    assert words == [*lines[some[0]["line"] - 1].split(), "<eos>"]
    assert run_zoo(*command, 0).json["disagreements"] == []


def test_unknown_words_are_shown_as_the_unknown_token(run_zoo, runs, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the zqzq of the film was in the series\n" * 20)
    command = ("compare", runs[1], runs[3], "--manifest", path, "--split", "all", "--json")
    (line, *_) = run_zoo(*command).json["disagreements"]
    words = [token["token"] for token in line["tokens"]]
    assert words[:3] == ["the", "<unk>", "of"]
    assert len(words) == 10


def test_models_that_cannot_be_compared(refused, corpus, runs, tmp_path):
    first, where = runs[3], ("--data", corpus)
    assert "There must be two models or more" in refused("mix", first, *where)
    characters, smaller = tmp_path / "characters", tmp_path / "smaller"
    train(RECIPE, data=corpus, out=characters, overrides={"data.tokenization": "character"})
    train(RECIPE, data=corpus, out=smaller, overrides={"data.min_count": 2})
    line = refused("mix", first, characters, *where)
    assert f"Received: {first} with words, and {characters} with characters" in line
    assert "must have the same vocabulary" in refused("compare", first, smaller, *where)
    assert "is not a language model" in refused("mix", first, "speech/bilstm-ctc-an4", *where)
    assert "There is no preset and no run folder" in refused("mix", first, "nothing", *where)
    assert "no such split" in refused("mix", first, first, *where, "--split", "odd")
    assert "--lines must be at least 0" in refused("compare", first, first, "--lines=-1", *where)
