"""Measure how well the confidence of answers separates inputs unlike the training data.

    python benchmarks/out_of_domain.py --data corpora --photos photos

For each preset, the confidences of its answers to dev are compared with those to inputs of other kinds:
sentences of newspapers (`ptb`) for translators of captions, a folder of photographs for captioners of
aerial photographs, and read sentences (`librispeech_mini`) and digits (`fsdd`) for recognizers of AN4.
"""

import argparse
import random
from pathlib import Path

import _timing
import numpy as np

import zoo
from zoo.common.decoding.confidence import QUANTILE

PRESETS = {
    "language/attention-multi30k-en-de": "multi30k",
    "language/seq2seq-multi30k-en-de": "multi30k",
    "speech/bilstm-ctc-an4": "an4",
    "speech/deepspeech-an4": "an4",
    "speech/tdnn-ctc-an4": "an4",
    "vision_language/lrcn-rsicd": "rsicd",
    "vision_language/show-and-tell-rsicd": "rsicd",
}
# Inputs of each other kind.
INPUTS = 200


def other_inputs(corpus: str, data: Path, photos: Path) -> dict[str, list[str]]:
    """Return inputs that are unlike those of a corpus, by their kind."""
    if corpus == "multi30k":
        lines = map(str.strip, (data / "ptb" / "ptb.valid.txt").read_text().splitlines())
        found = {
            "newspaper": [
                line
                for line in lines
                if not {"<unk>", "N"} & set(line.split()) and 5 <= len(line.split()) <= 25
            ]
        }
    elif corpus == "an4":
        speech = {"read sentences": ("librispeech_mini", "*.opus"), "digits": ("fsdd", "*.flac")}
        found = {
            kind: sorted(map(str, (data / folder).rglob(pattern)))
            for kind, (folder, pattern) in speech.items()
        }
    else:
        found = {"photographs": sorted(str(path) for path in photos.iterdir())}
    generator = random.Random(0)
    return {kind: generator.sample(some, min(INPUTS, len(some))) for kind, some in found.items()}


def area_under_roc(dev: np.ndarray, others: np.ndarray) -> float:
    """Return the probability that an answer to dev has a higher confidence than one to others."""
    above, below = dev[:, None] > others, dev[:, None] < others
    return float((1 + above.mean() - below.mean()) / 2)


def main() -> None:
    """Measure each preset, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    given = parser.parse_args()
    rows = []
    for name, corpus in PRESETS.items():
        evaluation = zoo.evaluate(name, data=given.data / corpus, split="dev")
        dev = np.array([row["confidence"] for row in evaluation.rows if "confidence" in row])
        threshold = np.quantile(dev, QUANTILE)
        for kind, inputs in other_inputs(corpus, given.data, given.photos).items():
            answers = zoo.predict(name, inputs, runtime="keras")
            others = np.array([one["confidence"] for one in answers if "confidence" in one])
            rows.append(
                {
                    "preset": name,
                    "inputs": kind,
                    "count": len(others),
                    "auc": round(area_under_roc(dev, others), 3),
                    "warned": round(float((others < threshold).mean()), 3),
                    "dev_warned": round(float((dev < threshold).mean()), 3),
                    "threshold": round(float(threshold), 4),
                }
            )
            print(rows[-1], flush=True)
    _timing.save("out_of_domain", {"results": rows})


if __name__ == "__main__":
    main()
