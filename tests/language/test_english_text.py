"""The text of `language/lstm-english`: no sentence of the dev and test splits of SST-2 is in it."""

import pytest

from tools.english_text import HeldOut, main
from zoo.common.core.errors import ZooError

# Written for this test.
DEV, TEST = "a slow film lrb and a long one rrb , with a fine end", "it works ."
TRAIN = "the actors are the only reason to see this film"
REVIEWS = [
    "a slow film ( and a long one ) , with a fine end . ",
    "A slow film, and a long one - a pity for its actors.",
    "the story is thin . it works ! ",
    "a well-made film that nobody needs",
    "it works as a comedy , and only as a comedy",
]


@pytest.fixture
def data(tmp_path):
    """Return a folder with a small form of each corpus."""
    files = {
        "sentiment/sst2/train.tsv": f"{TRAIN}\t1\n",
        "sentiment/sst2/dev.tsv": f"{DEV}\t0\n",
        "sentiment/sst2/test.tsv": f"{TEST}\t1\n",
        "sentiment/mr/rt-polarity.neg": "\n".join(REVIEWS[:3]) + "\n",
        "sentiment/mr/rt-polarity.pos": "\n".join(REVIEWS[3:]) + "\n",
        "ptb/ptb.train.txt": " mr. <unk> is N years old \n it works \n",
        "wikitext2_valid_test/wiki.valid.tokens": " = Title = \n \n One film @-@ maker . Two . \n",
        "enwiki_piece/enwiki_text8style.txt": "word " * 40,
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


def test_sentences_of_dev_and_test_are_left_out(data, tmp_path, capsys):
    main(str(data), str(tmp_path))
    lines = (tmp_path / "english.train.txt").read_text(encoding="utf-8").splitlines()
    assert lines == [
        TRAIN,
        "a well made film that nobody needs",
        "it works as a comedy , and only as a comedy",
        "two .",
        " ".join(["word"] * 10),
    ]
    valid = (tmp_path / "english.valid.txt").read_text(encoding="utf-8").splitlines()
    assert valid == ["mr . <unk> is n years old", "one film maker .", " ".join(["word"] * 30)]
    reviews = (tmp_path / "reviews.txt").read_text(encoding="utf-8").splitlines()
    assert reviews == lines[:3]
    assert "mr: 18 words. Left out: 3 of 5 sentences." in capsys.readouterr().out


def test_runs_of_words_and_whole_sentences():
    held_out = HeldOut([DEV, TEST])
    assert held_out.shares_words("This SLOW film, and a long one!") is True
    assert held_out.shares_words("film and a long") is False
    assert held_out.shares_words("It works.") is True
    assert held_out.shares_words("He says: it works. She does not.") is True
    assert held_out.shares_words("it works as a comedy") is False


def test_a_missing_corpus_is_an_error(tmp_path):
    with pytest.raises(ZooError, match="it has no folder 'sst2'"):
        main(str(tmp_path), str(tmp_path))
