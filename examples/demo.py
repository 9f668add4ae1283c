"""Transcribe recordings, plot a transcription, export and run a SavedModel, and generate text.

`make demo` runs this script. It writes to demo_output/.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from zoo.common.utils.quiet import start_backend

PRESET = "speech/bilstm-ctc-an4"
WRITER, PROMPT = "language/charlstm-shakespeare", "ROMEO:"
REPOSITORY = Path(__file__).resolve().parents[1]
OUTPUT = REPOSITORY / "demo_output"

# Runs the SavedModel on WAV bytes with TensorFlow only, without the zoo and Keras.
PLAIN_TENSORFLOW = """
import sys
sys.modules["zoo"] = sys.modules["keras"] = None  # an import of them fails
import tensorflow as tf

folder, *paths = sys.argv[1:]
model = tf.saved_model.load(folder)
wav = tf.constant([open(path, "rb").read() for path in paths])
for text in model.signatures["transcribe_wav"](wav=wav)["text"].numpy():
    print(text.decode())
"""


def main() -> int:
    """Run the demo, and return 0 if the SavedModel and the preset give the same texts."""
    start_backend()
    import soundfile

    import zoo
    from zoo.speech.recognition.corpora.an4 import AN4
    from zoo.speech.recognition.plots import plot_spikes

    examples = AN4.read(REPOSITORY / "tests" / "data" / "an4", "test")
    preset = zoo.load(PRESET)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()

    print(f"{PRESET} transcribes {len(examples)} recordings of AN4's test split:\n")
    texts = [answer["output"] for answer in preset.predict([str(e.audio) for e in examples])]
    for example, text in zip(examples, texts, strict=True):
        print(f"  {example.id}\n    reference   {example.transcript}\n    transcript  {text}")

    longest = max(examples, key=lambda example: example.seconds)
    picture = OUTPUT / f"{longest.id}.png"
    plot_spikes(
        preset.predictor,
        preset.recipe.task,
        str(longest.audio),
        picture,
        reference=longest.transcript,
    )
    print(f"\nSpectrogram and CTC spikes: {picture.relative_to(REPOSITORY)}")

    (file,) = zoo.export(PRESET, "savedmodel", OUTPUT / PRESET).files
    saved_model = Path(file["path"])
    print(f"SavedModel: {saved_model.relative_to(REPOSITORY)}, {file['bytes'] / 1e6:.1f} MB")

    recordings = []
    for example in examples:
        recordings.append(OUTPUT / f"{example.id}.wav")
        soundfile.write(recordings[-1], *soundfile.read(example.audio, dtype="int16"))
    served = subprocess.run(
        [sys.executable, "-c", PLAIN_TENSORFLOW, saved_model, *recordings],
        capture_output=True,
        text=True,
        check=True,
        cwd=OUTPUT,
    ).stdout.splitlines()
    same = sum(a == b for a, b in zip(texts, served, strict=True))
    print(
        f"A process with plain TensorFlow gives the same text for {same} of {len(texts)} recordings."
    )

    print(f"\n{WRITER} continues {PROMPT!r}:\n")
    (answer,) = zoo.load(WRITER).predict([PROMPT])
    print("  " + answer["output"].replace("\n", "\n  "))
    return int(same != len(texts))


if __name__ == "__main__":
    sys.exit(main())
