"""Test the word search: all texts, labels without a separator, hot words, invalid files."""

import gzip
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.common.ctc.every_path import labellings
from zoo.common.core.errors import ZooError
from zoo.common.ctc.transcribe import check_search, transcribe
from zoo.common.ctc.word_search import _one_frame_per_run
from zoo.common.data.labels import BLANK_INDEX, Labels
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.language_model.arpa import read_words, write_arpa
from zoo.common.language_model.lexicon import read_lexicon
from zoo.common.language_model.ngram import END, count_ngrams

pytest.importorskip("flashlight.lib.text")

LETTERS = Labels((" ", "a", "b"), "character")
PHONEMES = Labels(("AH", "B", "IY"), "word")
WORDS = ("</s>", "<unk>", "a", "b", "ab")
SENTENCES = ["a b", "ab a", "ab", "b ab a", "a a b"]


@pytest.fixture(scope="module")
def lm(tmp_path_factory):
    """Return a gzipped ARPA file of five sentences."""
    texts = [np.array([*map(WORDS.index, text.split()), END]) for text in SENTENCES]
    path = tmp_path_factory.mktemp("lm") / "lm.arpa.gz"
    write_arpa(count_ngrams(texts, 2, WORDS), path)
    return path


def lm_log_probability(text):
    """Return the log-probability of a text by the model of SENTENCES in nats."""
    texts = [np.array([*map(WORDS.index, text.split()), END]) for text in SENTENCES]
    tokens = np.array([*(WORDS.index(word) for word in text.split()), END])
    return float(count_ngrams(texts, 2, WORDS).score(tokens).sum())


def frames(path, labels):
    """Return logits with this best path of symbols, where "-" is the blank."""
    logits = np.zeros((len(path), labels.size), np.float32)
    numbers = [BLANK_INDEX if s == "-" else labels.symbols.index(s) + 1 for s in path]
    logits[np.arange(len(path)), numbers] = 9
    return logits


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_scores_equal_the_sum_over_all_paths(lm, weight):
    """The beam is wide enough for all texts, so that no path is lost."""
    decoder = CTCSearch(beam_width=2000, n_best=50, lm=lm, lm_weight=weight, word_bonus=0.4)
    logits = np.random.default_rng(0).normal(0, 1, (5, LETTERS.size))
    expected = {}
    for labels, (log_probability, *_) in labellings(logits).items():
        text = "".join(LETTERS.decode(labels))
        words = text.split()
        if set(words) <= set(WORDS):
            text = " ".join(words)  # labellings with more spaces have the same text
            before = expected.get(text, -math.inf)
            expected[text] = np.logaddexp(before, log_probability)
    scores = {
        text: own + weight * lm_log_probability(text) + 0.4 * len(text.split())
        for text, own in expected.items()
    }
    best = sorted(scores, key=scores.get, reverse=True)[:20]
    found = transcribe(logits, decoder, LETTERS)
    assert [one.text for one in found[:20]] == best
    for one in found[:20]:
        assert one.scores["score"] == pytest.approx(scores[one.text], abs=1e-4)
        assert one.scores["log_probability"] == pytest.approx(expected[one.text], abs=1e-4)
        lm_expected = lm_log_probability(one.text)
        assert one.scores["lm_log_probability"] == pytest.approx(lm_expected, abs=1e-4)
        assert " ".join(word.text for word in one.words) == one.text
        assert LETTERS.text(one.labels) == one.text


def test_hot_word_changes_the_result(lm):
    logits = frames("ab-", LETTERS)
    logits[1] = [0, 8.5, 0, 8.7]  # a space or "b"
    plain = CTCSearch(beam_width=50, lm=lm, lm_weight=0.0, word_bonus=0.0)
    assert transcribe(logits, plain, LETTERS)[0].text == "ab"
    boosted = replace(plain, hot_word=("a:3",))
    assert transcribe(logits, boosted, LETTERS)[0].text == "a"


def test_hot_word_may_be_missing_in_the_lexicon(tmp_path, lm):
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("a\n")
    logits = frames("bb-a", LETTERS)
    plain = CTCSearch(beam_width=20, lexicon=lexicon)
    assert transcribe(logits, plain, LETTERS)[0].text == "a"
    hot = replace(plain, hot_word=("bba:1",), lm=lm)
    assert transcribe(frames("b-b-a", LETTERS), hot, LETTERS)[0].text == "bba"
    found = transcribe(frames("b-b-a", LETTERS), hot, LETTERS)[0]
    with_more = replace(hot, hot_word=("bba:3",))
    more = transcribe(frames("b-b-a", LETTERS), with_more, LETTERS)[0]
    assert more.scores["score"] - found.scores["score"] == pytest.approx(2, abs=1e-3)
    assert more.scores["log_probability"] == pytest.approx(
        found.scores["log_probability"], abs=1e-3
    )


def test_hot_word_with_boost_0_has_no_effect(lm):
    """Neither the scores of words nor the score of the end of a sentence change."""
    logits = np.random.default_rng(1).normal(0, 1, (5, LETTERS.size))
    plain = CTCSearch(beam_width=2000, n_best=20, lm=lm, lm_weight=0.7)
    found = transcribe(logits, replace(plain, hot_word=("ab:0",)), LETTERS)
    for one, other in zip(found, transcribe(logits, plain, LETTERS), strict=True):
        assert one.text == other.text
        assert one.scores == pytest.approx(other.scores, abs=1e-4)


def test_phonemes_give_words(tmp_path):
    """The labels have no separator, and some last for several frames."""
    lexicon = tmp_path / "words.dic"
    lexicon.write_text(";;; a comment\nBE  B IY\nBEE(2)  B IY IY\nA  AH\nABBEY  AH B IY\n")
    decoder = CTCSearch(beam_width=50, n_best=3, lexicon=lexicon, word_bonus=-1.0)
    logits = frames(["-", "B", "IY", "IY", "AH", "AH", "-", "B", "IY", "-"], PHONEMES)
    found = transcribe(logits, decoder, PHONEMES)
    assert found[0].text == "BE ABBEY"
    assert PHONEMES.text(found[0].labels) == "B IY AH B IY"
    assert [(word.first, word.last) for word in found[0].words] == [(0, 1), (2, 4)]
    assert found[1].text == "BE A BE"
    twice = frames(["B", "IY", "-", "IY"], PHONEMES)
    assert transcribe(twice, decoder, PHONEMES)[0].text == "BEE"


def test_one_frame_per_run_keeps_the_most_probable_frame():
    blank, one, two = np.log(np.full((3, 3), 0.1) + 0.7 * np.eye(3))
    weak, weaker = np.log([0.3, 0.2, 0.5]), np.log([0.3, 0.3, 0.4])
    log_probs = np.stack([one, weaker, one, two, weak, blank, blank, weaker, weak])
    kept = log_probs[[0, 1, 2, 3, 5, 6, 8]]
    np.testing.assert_array_equal(_one_frame_per_run(log_probs), kept)


def test_letters_without_a_separator_give_one_word(tmp_path):
    letters = Labels(("a", "b"), "character")
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("ab\nba\nabba\n")
    decoder = CTCSearch(beam_width=50, n_best=3, lexicon=lexicon)
    found = transcribe(frames("ab-ba", letters), decoder, letters)
    assert [one.text for one in found][:1] == ["abba"]
    assert {one.text for one in found[1:]} == {"ab", "ba"}
    assert found[0].labels == letters.encode("abba")


@pytest.mark.parametrize("labels", [LETTERS, PHONEMES, Labels(("a", "b"), "character")])
@pytest.mark.parametrize("time_steps", [0, 4])
def test_blank_frames_give_an_empty_text(tmp_path, labels, time_steps):
    lexicon = tmp_path / "words.txt"
    lexicon.write_text(labels.symbols[-1] + "\n")
    decoder = CTCSearch(beam_width=20, lexicon=lexicon, word_bonus=0.0)
    logits = frames("-" * time_steps, labels)
    assert (time_steps == 0 and " " not in labels.symbols and labels.unit == "character") or (
        transcribe(logits, decoder, labels)[0].text == ""
    )


# Files --------------------------------------------------------------------------------------------


def test_messages_list_ignored_words(tmp_path, lm, capfd):
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("ab\ncaf\u00e9\nbaa\n")
    check_search(CTCSearch(beam_width=4, lm=lm, lexicon=lexicon), LETTERS)
    err = capfd.readouterr().err
    assert f"1 words of {lexicon} are ignored, because the model cannot write them: 'caf" in err
    assert f"1 words are not in {lm} and are scored as <unk>: 'baa'." in err
    assert "5---10" not in err  # the progress bar of KenLM
    whole = tmp_path / "whole.txt"
    whole.write_text("ab\nb\n")
    check_search(CTCSearch(beam_width=4, lm=lm, lexicon=whole), LETTERS)
    assert capfd.readouterr().err == ""


def test_read_words(lm, tmp_path):
    assert read_words(lm)[:3] == ["<s>", "</s>", "<unk>"]
    plain = tmp_path / "plain.arpa"
    plain.write_bytes(gzip.decompress(lm.read_bytes()))
    assert read_words(plain) == read_words(lm)


def test_words_with_several_spellings(tmp_path):
    path = tmp_path / "words.dic"
    path.write_text("A AH\nA(2) IY\nA(3) AH\n")
    assert read_lexicon(path, PHONEMES).spellings == {"A": [(1,), (3,)]}
    path.write_text("A AH\nA(2) X\nB X\n")  # only one spelling of A is possible
    lexicon = read_lexicon(path, PHONEMES)
    assert (lexicon.spellings, lexicon.left_out) == ({"A": [(1,)]}, ("B",))


def bad_lm(lm, tmp_path, change):
    path = tmp_path / "bad.arpa"
    path.write_text(change(gzip.decompress(lm.read_bytes()).decode()))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "not an ARPA file, or is incomplete"),
        (lambda text: text.replace("\\end\\", ""), "is incomplete"),
        (lambda text: text.replace("ngram 2=", "ngram 2=1"), "line"),
        (lambda text: text.replace("\tab a", "\tab c"), "must be a logarithm, 2 of the unigrams"),
        (lambda text: "hello\n", "is not an ARPA file"),
        (lambda text: "", "is not an ARPA file"),
        (lambda text: text.replace("\ta\t", "\tA\t").replace("\tb\t", "\tB\t"), "line"),
    ],
)
def test_invalid_language_model_raises_a_one_line_error(lm, tmp_path, change, message):
    bad = bad_lm(lm, tmp_path, change)
    with pytest.raises(ZooError) as error:
        check_search(CTCSearch(beam_width=4, lm=bad), LETTERS)
    assert message in str(error.value)
    assert str(bad) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("lexicon", "labels", "message"),
    [
        ("", LETTERS, "is empty"),
        (";;; nothing\n", LETTERS, "must contain at least one word"),
        ("ONE\nTWO\n", LETTERS, "'E N O T W' is not among its labels"),
        ("ab  B IY\n", LETTERS, "'B IY' is not among its labels"),
        ("ab\n", PHONEMES, "'ab' is not among its labels"),
    ],
)
def test_invalid_lexicon_raises_an_error(tmp_path, lexicon, labels, message):
    path = tmp_path / "words.txt"
    path.write_text(lexicon)
    with pytest.raises(ZooError) as error:
        check_search(CTCSearch(beam_width=4, lexicon=path), labels)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_phonemes_need_a_lexicon(tmp_path):
    """A phoneme and a letter may have the same name: the phoneme "B" does not spell the word "B"."""
    words = ("</s>", "<unk>", "B", "YES")
    spoken = tmp_path / "spoken.arpa"
    write_arpa(count_ngrams([np.array([2, 3, END])], 2, words), spoken)
    decoder = CTCSearch(beam_width=4, lm=spoken)
    with pytest.raises(ZooError, match=r"lexicon must be given.*'AH', 'B', 'IY'.* Received: 'YES'"):
        check_search(decoder, PHONEMES)
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("B  B IY\n")
    check_search(replace(decoder, lexicon=lexicon), PHONEMES)
    write_arpa(count_ngrams([np.array([2, 3, END])], 2, (*words[:3], "IY")), spoken)
    check_search(decoder, PHONEMES)  # all words are labels of the model


def test_lexicon_and_language_model_without_a_common_word(lm, tmp_path):
    bare = bad_lm(lm, tmp_path, lambda text: text)
    words = ("</s>", "a", "b")
    write_arpa(count_ngrams([np.array([1, 2, END])], 1, words), bare)  # without <unk>
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("bab\n")
    with pytest.raises(ZooError, match=r"have no word in common\. Received: 'bab'; 'a', 'b'"):
        check_search(CTCSearch(beam_width=4, lm=bare, lexicon=lexicon), LETTERS)
    for words in ((), ("bab:2",), ("baa:2",)):  # a hot word inside or outside the lexicon
        with pytest.raises(ZooError, match=r"have no word in common\. Received: 'bab'; 'a', 'b'"):
            check_search(CTCSearch(beam_width=4, lm=lm, lexicon=lexicon, hot_word=words), LETTERS)
    with pytest.raises(ZooError, match=r"hot_word must be in .* which has no <unk>"):
        check_search(CTCSearch(beam_width=4, lm=bare, hot_word=("bab:2",)), LETTERS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hot_word": ("xyz:3",)}, "hot_word has no word that the model can write: 'x y z'"),
        ({"hot_word": ("ab",)}, "hot_word must be one WORD:BOOST. Received: 'ab'"),
        ({"hot_word": ("a b:2",)}, "hot_word must be one WORD:BOOST. Received: 'a b:2'"),
        ({"hot_word": ("ab:much",)}, "the boost of 'ab' must be a number. Received: 'much'"),
        ({"hot_word": ("ab:nan",)}, "the boost of 'ab' must be at least -100"),
        ({"hot_word": ("ab:2",), "lm": None}, "hot_word requires lm or lexicon"),
        ({"lm_weight": math.nan}, "lm_weight must be at least 0 and at most 100. Received: nan"),
        ({"lm_weight": -1.0}, "lm_weight must be at least 0"),
        ({"word_bonus": math.inf}, "word_bonus must be at least -100 and at most 100"),
        ({"n_best": 0}, "n_best must be at least 1 and at most 10,000. Received: 0"),
        ({"beam_width": 0}, "beam_width must be at least 1 and at most 10,000. Received: 0"),
        ({"beam_width": 10**9}, "beam_width must be at least 1 and at most 10,000"),
    ],
)
def test_invalid_options(lm, options, message):
    with pytest.raises(ZooError) as error:
        check_search(CTCSearch(**{"lm": lm, "beam_width": 4, **options}), LETTERS)
    assert message in str(error.value)


def test_missing_flashlight_raises_an_error_with_the_command(lm, monkeypatch):
    from zoo.common.language_model import word_lm

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(word_lm.importlib, "import_module", missing)
    with pytest.raises(ZooError, match=r"pip install 'recurrent-zoo\[decoder\]'"):
        check_search(CTCSearch(beam_width=3, lm=lm), LETTERS)


def test_narrow_beam_may_end_within_a_word(tmp_path):
    """Then the result is the words before it, and the log-probability has a possible value."""
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("ab\nb\n")
    logits = frames("b -a-", LETTERS)
    (found,) = transcribe(logits, CTCSearch(beam_width=2, lexicon=lexicon), LETTERS)
    assert found.text == "b"
    assert -30 < found.scores["log_probability"] <= 0
    for pair in itertools.product("ab", repeat=2):
        assert transcribe(frames([*pair], LETTERS), CTCSearch(lexicon=lexicon), LETTERS)


def test_default_width_is_enough_for_a_search(lm):
    """A width of 1, the default, selects the best path; a search for words keeps more hypotheses."""
    logits = frames("ab -a-", LETTERS)
    one, wide = (transcribe(logits, CTCSearch(beam_width=n, lm=lm), LETTERS) for n in (1, 100))
    assert one == wide
