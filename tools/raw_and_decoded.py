"""Print a Markdown table of raw network output and decoded text for the worst recordings.

zoo evaluate PRESET --data DIR --split dev --lm FILE --decoder FILE --rows rows.jsonl
python tools/raw_and_decoded.py rows.jsonl --count 8
"""

import argparse
import json
from pathlib import Path

import jiwer


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="file that zoo evaluate --rows wrote")
    parser.add_argument("--count", type=int, default=8, help="number of lines of the table")
    parser.add_argument("--max-words", type=int, default=12, help="longest transcript, in words")
    given = parser.parse_args()
    rows = [json.loads(line) for line in given.rows.read_text(encoding="utf-8").splitlines()]
    short = [row for row in rows if len(row["reference"].split()) <= given.max_words]
    worst = sorted(short, key=lambda row: -jiwer.wer(row["reference"], row["raw"]))[: given.count]
    print(
        "| reference | raw network output | decoded | wer before, after |\n| --- | --- | --- | --- |"
    )
    for row in worst:
        before = jiwer.wer(row["reference"], row["raw"])
        texts = " | ".join(row[key] or "(nothing)" for key in ("reference", "raw", "output"))
        print(f"| {texts} | {before:.2f}, {row['wer']:.2f} |")


if __name__ == "__main__":
    main()
