"""Parallel text: pairs of files, manifests, and subword units in Python and in a graph."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.language.epochs import epoch_batches
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.vocabulary import SENTENCE_SPECIALS, UNKNOWN, Vocabulary
from zoo.common.presets import store
from zoo.language.translation.corpora.multi30k import MULTI30K
from zoo.language.translation.corpora.parallel import SentencePair, read_manifest
from zoo.language.translation.data import ParallelText
from zoo.language.translation.subwords import WORD_START, Subwords, join_pieces, learn_pieces

LANGUAGES = ("en", "de")
PAIRS = [
    ("A dog runs on the grass.", "Ein Hund läuft auf dem Gras."),
    ("Two men sit on a bench.", "Zwei Männer sitzen auf einer Bank."),
    ("A woman in a red dress sings.", "Eine Frau in einem roten Kleid singt."),
    ("The dogs are running.", "Die Hunde laufen."),
    ("A man with a hat reads.", "Ein Mann mit Hut liest."),
    ("Two women are reading on the grass.", "Zwei Frauen lesen auf dem Gras."),
]


def examples() -> list[SentencePair]:
    return [SentencePair(f"{i}", *pair) for i, pair in enumerate(PAIRS)]


def tiny_recipe(name: str = "language/attention-multi30k-en-de"):
    sizes = {f"model.{key}_size": size for key, size in TINY_SIZES.items()}
    options = {"data.num_pieces": 120, "training.batch_size": 3, "decoder.max_length": 8}
    return entry(name).recipe().override(sizes | options).adapt(examples())


TINY_SIZES = {"embedding": 6, "encoder": 4, "hidden": 5}


def write_sides(folder: Path, name: str, sides: dict[str, str | bytes]) -> Path:
    for language, text in sides.items():
        content = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.{language}").write_bytes(content)
    return folder / f"{name}.en"


# Files


def test_two_files_and_tsv_and_json_lines_give_the_same_pairs(tmp_path):
    path = write_sides(tmp_path, "talk", {"en": "a b\n\nc\n", "de": "x y\n\nz\n"})
    from_two_files = read_manifest(path, LANGUAGES)
    (tmp_path / "t.tsv").write_text("a b\tx y\nc\tz\n")
    (tmp_path / "t.jsonl").write_text(
        '{"source": "a b", "target": "x y"}\n{"source": "c", "target": "z"}\n'
    )
    for pairs in (
        from_two_files,
        *(read_manifest(tmp_path / f"t.{s}", LANGUAGES) for s in ("tsv", "jsonl")),
    ):
        assert [(pair.source, pair.target) for pair in pairs] == [("a b", "x y"), ("c", "z")]
    assert [pair.id for pair in from_two_files] == ["talk.en, 1", "talk.en, 3"]  # line 2 is empty


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'de,en,split\n"x, y",a b,train\nz,c,dev\n'),
        ("t.tsv", "en\tnote\tde\tsplit\na b\t\tx, y\ttrain\nc\t\tz\tdev\n"),
        (
            "t.jsonl",
            '{"en": "a b", "de": "x, y", "split": "train"}\n{"en": "c", "de": "z", "split": "dev"}\n',
        ),
    ],
)
def test_columns_of_tables_by_name(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    data = ParallelText(column="en", target_column="de")
    assert [(pair.source, pair.target, pair.split) for pair in data.read_manifest(path)] == [
        ("a b", "x, y", "train"),
        ("c", "z", "dev"),
    ]
    # Prediction reads the same column.
    assert data.find_inputs(str(path)) == ["a b", "c"]
    with pytest.raises(ZooError, match="fr"):
        ParallelText(column="en", target_column="fr").read_manifest(path)


def test_a_table_has_source_and_target_by_default(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('target,source\n"x, y",a b\n')
    (pair,) = read_manifest(path, LANGUAGES)
    assert (pair.source, pair.target) == ("a b", "x, y")


def test_either_side_may_be_gzipped(tmp_path):
    sides = {"en.gz": gzip.compress(b"a\nb\n"), "de": "x\ny\n"}
    write_sides(tmp_path, "talk", sides)
    pairs = read_manifest(tmp_path / "talk.en.gz", LANGUAGES)
    assert [(pair.source, pair.target) for pair in pairs] == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ({"en": "a\nb\n", "de": "x\n"}, ("2 in", "talk.en", "1 in", "talk.de")),
        (
            {"en": "a\nb\nc\n", "de": "x\n\n \n"},
            ("line 2: empty in talk.de", "further invalid lines: 1"),
        ),
        ({"en": "a\n", "de": b"x\xff\n"}, ("talk.de, line 1", "byte 1 is 0xff")),
        ({"en": "a\n"}, ("talk.de is missing",)),
        ({"en": "\n", "de": "\n"}, ("talk.en is empty",)),
    ],
)
def test_bad_files_are_errors_of_one_line(tmp_path, sides, words):
    path = write_sides(tmp_path, "talk", sides)
    with pytest.raises(ZooError) as error:
        read_manifest(path, LANGUAGES)
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a\tx\nb\n", "line 2: a line must be a sentence, a tab"),
        ("a\tx\tmore\n", "line 1: a line must be"),
        ("a\t \n", "line 1: no text under the key 'target'"),
        ('{"source": "a"}\n', "line 1: no text under the key 'target'"),
        ('{"source": "a", "target": 3}\n', "no text under the key 'target'"),
    ],
)
def test_bad_manifests_are_errors_of_one_line(tmp_path, content, words):
    path = tmp_path / "pairs.txt"
    path.write_text(content)
    with pytest.raises(ZooError, match=words):
        read_manifest(path, LANGUAGES)


def test_the_corpus_reads_its_splits(tmp_path):
    for i, split in enumerate(("train", "val", "test_2016_flickr")):
        write_sides(tmp_path, split, {"en": f"a {i}\n", "de": f"x {i}\n"})
    assert [pair.split for pair in MULTI30K.read(tmp_path, "all")] == [
        "train",
        "val",
        "test_2016_flickr",
    ]
    (pair,) = MULTI30K.read(tmp_path, "val")
    assert pair == SentencePair("val, 1", "a 1", "x 1", "val")
    with pytest.raises(ZooError, match="no such split"):
        MULTI30K.read(tmp_path, "valid")


# Subword units


def test_the_longest_piece_is_taken_first():
    vocabulary = learn_pieces(["low lower lowest low low"] * 3, 40)
    subwords = Subwords(vocabulary)
    assert subwords.split("low") == ["▁low"]
    for text in ("lower lowest", "  owl\tw e "):
        pieces = subwords.split(text)
        assert set(pieces) <= set(vocabulary.tokens)
        assert join_pieces(pieces) == " ".join(text.split())
    # The vocabulary has no longer piece that matches at the same position.
    word, pieces = f"{WORD_START}lowest", subwords.split("lowest")
    for piece in pieces:
        longer = [p for p in vocabulary.tokens if word.startswith(p) and len(p) > len(piece)]
        assert not longer
        word = word[len(piece) :]


def test_unknown_characters_and_special_tokens():
    vocabulary = learn_pieces(["a <pad> b"], 40)
    subwords = Subwords(vocabulary)
    assert vocabulary.tokens[: len(SENTENCE_SPECIALS)] == SENTENCE_SPECIALS
    assert subwords.split("☃")[-1] == UNKNOWN
    assert not set(subwords.split("<pad>")) & set(SENTENCE_SPECIALS)


def test_too_few_pieces_for_the_characters():
    with pytest.raises(ZooError, match="6 pieces cannot be learned from 1 texts"):
        learn_pieces(["abcdefghijklmnop"], 6)


def test_a_graph_splits_texts_as_python_does():
    import tensorflow as tf

    data = tiny_recipe().data
    texts = ["A dog runs.", "  Zwei\tMÄNNER\u00a0x ", "☃ dog ☃", "a\x00dog", "▁dog", "dog" * 99]
    to_inputs = tf.function(data.raw_inputs(None, None)["serving_default"].to_inputs)
    inputs = to_inputs(tf.constant(texts))
    for text, row, length in zip(texts, inputs["source"], inputs["source_lengths"], strict=True):
        expected = data.vocabulary.encode(Subwords(data.vocabulary).split(text.lower()))
        assert row.numpy()[: int(length)].tolist() == expected, text
        assert not row.numpy()[int(length) :].any()  # padding
    with pytest.raises(tf.errors.InvalidArgumentError, match="A text is empty"):
        to_inputs(tf.constant(["a", " \n"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="The text must be UTF-8"):
        to_inputs(tf.constant(["good", b"sp\xe4t"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="No piece of a text is in the vocab"):
        to_inputs(tf.constant(["dog", "☃"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="too many pieces"):
        to_inputs(tf.constant(["dog " * 1001]))


# The data kind


def test_targets_are_the_next_pieces():
    recipe = tiny_recipe()
    data, names = recipe.data, []
    batches = epoch_batches(recipe, examples())
    assert batches.steps == len(list(batches)) == 2
    for x, y, ids in batches:
        names += ids.tolist()
        for row, id in enumerate(ids):
            pair = examples()[int(id)]
            length, source_length = y["lengths"][row], x["source_lengths"][row]
            source = data.vocabulary.decode(x["source"][row, :source_length])
            assert join_pieces(source) == pair.source.lower()
            tokens = data.vocabulary.decode(x["tokens"][row, :length])
            targets = data.vocabulary.decode(y["targets"][row, :length])
            assert tokens[0] == "<start>"
            assert targets[-1] == "<end>"
            assert tokens[1:] == targets[:-1]
            assert join_pieces(targets[:-1]) == pair.target
            assert not x["tokens"][row, length:].any()
    assert sorted(names) == sorted(str(i) for i in range(len(PAIRS)))


def test_long_pairs_are_left_out_of_training():
    recipe = tiny_recipe().override({"data.max_length": 40})
    long = [SentencePair("long", "dog " * 50, "x"), SentencePair("far", "dog", "Hund " * 50)]
    kept, left_out = recipe.data.filter_examples(examples() + long, recipe.model)
    assert kept == examples()
    assert left_out == {"without a known piece or over 40 pieces": 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The text is empty"),
        (" \n\x00", "The text is empty"),
        ("☃☃", "No piece of the text is in the vocabulary of"),
        ("a \udcff", "not UTF-8: the character at position 2"),
        ("dog " * 300_000, "pieces of the text must be at most 1,000"),
    ],
)
def test_bad_texts_are_errors(text, words):
    recipe = tiny_recipe()
    with pytest.raises(ZooError, match=words):
        recipe.data.read_input(text, recipe.model)


def test_assets_are_stored(tmp_path):
    recipe = tiny_recipe()
    store.save_recipe(tmp_path, recipe)
    again = store.load_recipe(tmp_path)
    assert again == recipe
    np.testing.assert_array_equal(again.data.read_source("A dog"), recipe.data.read_source("A dog"))
    with pytest.raises(ZooError, match="must be '<pad>', '<unk>', '<start>', '<end>'"):
        ParallelText(vocabulary=Vocabulary(("a",), (1,)))


def test_dev_and_train_have_different_sources():
    pairs = [*examples(), SentencePair("again", PAIRS[0][0], "Ein anderer Satz.")]
    assert len({tiny_recipe().data.group_of(pair) for pair in pairs}) == len(PAIRS)
