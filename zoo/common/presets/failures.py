"""Wrong answers of an evaluation, which the card of a preset shows."""

from __future__ import annotations

from typing import Any

from zoo.common.core.metrics import DIRECTIONS, HIGHER
from zoo.common.core.recipe import Recipe
from zoo.common.data.labels import LabelledData

# Number of answers on a card.
SHOWN = 2
# Number of digits after the decimal point in metrics.json.
DIGITS = 4
# Fields of a row that are kept.
SOURCE, REFERENCE, REFERENCES = "source", "reference", "references"
FIELDS = ("id", SOURCE, "step", REFERENCE, "output", "confidence")


def worst_answers(
    rows: list[dict[str, Any]], recipe: Recipe, restricted: bool
) -> list[dict[str, Any]] | None:
    """Return the answers with the largest errors, without those that equal a reference.

    The error is the difference of numbers, or the metric of the example. Among equal errors, answers
    with a higher confidence come first.

    Args:
        rows: rows of `Evaluation`.
        recipe: the recipe of the preset.
        restricted: whether the licence of the corpus restricts its use. Its texts are then left out;
            labels are kept.

    Returns:
        At most `SHOWN` rows of `FIELDS`; None if the rows have no reference answers.
    """
    answers = [
        _answer(row) for row in rows if "output" in row and {REFERENCE, REFERENCES} & row.keys()
    ]
    if not answers:
        return None
    wrong = [row for row in answers if row["output"] not in row[REFERENCES]]
    wrong.sort(key=lambda row: (-row["error"], -row.get("confidence", 0.0)))
    fields = set(FIELDS)
    if restricted:
        fields -= {SOURCE} if isinstance(recipe.data, LabelledData) else {SOURCE, REFERENCE}
    return [
        {key: _rounded(row[key]) for key in FIELDS if key in row and key in fields}
        for row in wrong[:SHOWN]
    ]


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with `references`, the first `reference`, its `error` and its `confidence`."""
    references = row[REFERENCES] if REFERENCES in row else [row[REFERENCE]]
    confidence = {"confidence": row["probability"]} if "probability" in row else {}
    found = {REFERENCES: references, REFERENCE: references[0], "error": _error(row, references[0])}
    return row | confidence | found


def _rounded(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value


def _error(row: dict[str, Any], reference: Any) -> float:
    """Return the error of an answer: the larger, the worse."""
    if isinstance(reference, float):
        return abs(row["output"] - reference)
    name = next((key for key in row if key in DIRECTIONS), None)
    if name is None:
        return 0.0
    return -row[name] if DIRECTIONS[name] == HIGHER else row[name]


def show(rows: list[dict[str, Any]]) -> str:
    """Return a table of wrong answers in Markdown."""
    names = {"id": "example", SOURCE: "input", REFERENCE: "expected", "output": "answer"}
    keys = [key for key in FIELDS if any(key in row for row in rows)]
    lines = [[names.get(key, key) for key in keys], ["---"] * len(keys)]
    lines += [[_cell(row.get(key, "")) for key in keys] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return " ".join(str(value).split()).replace("|", "\\|")
