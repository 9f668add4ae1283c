"""Error rates of transcripts, counted by `jiwer`, and the utterances that tell of them."""

from __future__ import annotations

import jiwer

from zoo.speech.corpora import Example

SHOWN = 3


def score(examples: list[Example], hypotheses: list[str]) -> tuple[dict[str, float], list[str]]:
    """`wer` and `cer` of hypotheses against transcripts as fractions, and lines of a report.

    The spaces between words count as characters in `cer`.
    """
    references = [example.transcript for example in examples]
    words = jiwer.process_words(references, hypotheses)
    characters = jiwer.process_characters(references, hypotheses)
    report = [
        f"{name}: {out.hits + out.substitutions + out.deletions} in the references, "
        f"{out.substitutions} substituted, {out.deletions} deleted, {out.insertions} inserted"
        for name, out in (("words", words), ("characters", characters))
    ]
    rates = [jiwer.wer(r, h) for r, h in zip(references, hypotheses, strict=True)]
    order = sorted(range(len(rates)), key=lambda i: (rates[i], examples[i].id))
    middle = max(0, (len(order) - SHOWN) // 2)
    groups = {
        "best": order[:SHOWN],
        "median": order[middle : middle + SHOWN],
        "worst": order[-SHOWN:],
    }
    for name, chosen in groups.items():
        for i in chosen:
            report += [
                f"{name:6} {examples[i].id}, word error rate {rates[i]:.2f}",
                f"       said:  {references[i]}",
                f"       heard: {hypotheses[i]}",
            ]
    return {"wer": words.wer, "cer": characters.cer}, report
