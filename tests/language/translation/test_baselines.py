"""The baselines of translation, and intervals of BLEU."""

import pytest

from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.language.translation.corpora.parallel import SentencePair

RECIPE = "language/seq2seq-multi30k-en-de"
PAIRS = (
    ("a dog runs in the snow", "Ein Hund läuft im Schnee"),
    ("two cats sleep on a bed", "Zwei Katzen schlafen auf einem Bett"),
    ("the man reads a newspaper", "Der Mann liest eine Zeitung"),
)


def test_the_nearest_source_is_found(run_zoo, tmp_path):
    rows = [f'{{"source": "{s}", "target": "{t}", "split": "train"}}' for s, t in PAIRS]
    rows += [f'{{"source": "look : {s} !", "target": "{t}", "split": "dev"}}' for s, t in PAIRS]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(rows) + "\n")
    answer = run_zoo("baseline", RECIPE, "--manifest", path, "--json").json
    assert answer["baseline"].startswith("nearest source by TF-IDF")
    assert answer["metrics"]["bleu"] == pytest.approx(1)
    assert answer["intervals"]["bleu"] == pytest.approx([1, 1])


def test_bleu_of_rows_is_that_of_the_evaluation():
    task = entry(RECIPE).recipe().task
    outputs = ["Ein Hund läuft im Schnee nach Hause", "zwei Katzen schlafen auf dem Bett", ""]
    examples = [SentencePair(str(i), *pair) for i, pair in enumerate(PAIRS)]
    metrics, _, rows = task.compute_metrics(None, examples, outputs)
    predictor = entry(RECIPE).recipe().predictor(Graphs("none", {}))
    assert 0 < metrics["bleu"] < metrics["bleu_lowercase"] < 1
    assert task.row_metrics(predictor, rows) == pytest.approx(metrics)
