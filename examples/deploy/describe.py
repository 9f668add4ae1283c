"""Caption an image or translate a text: python describe.py EXPORT photo.jpg|"A dog runs."

The script prints the answer of `zoo predict PRESET ... --beam-width 1`. Images need Pillow: pip install
pillow
"""

import re
import sys

import numpy as np
from graphs import next_states, open_export

graphs, signature = open_export(sys.argv[1])
tokens = signature["tokens"]
if "image" in signature["graphs"]["encoder"]["inputs"]:
    from PIL import Image, ImageOps

    _, height, width, _ = signature["graphs"]["encoder"]["inputs"]["image"]["shape"]
    image = ImageOps.exif_transpose(Image.open(sys.argv[2])).convert("RGB")
    pixels = image.resize((width, height), Image.Resampling.BILINEAR)
    inputs = {"image": np.asarray(pixels, np.float32)[np.newaxis]}
else:
    pieces, index = [], {token: i for i, token in enumerate(tokens)}
    for word in filter(None, re.split(signature["spaces"], sys.argv[2].lower())):
        word = signature["word_start"] + word
        while word:  # the longest matching piece first
            piece = next((word[:n] for n in range(len(word), 0, -1) if word[:n] in index), None)
            pieces.append(index.get(piece, signature["unknown"]))
            word = word[len(piece or word[0]) :]
    inputs = {
        "source": np.array([pieces], np.int32),
        "source_lengths": np.array([len(pieces)], np.int32),
    }
states = {name.removeprefix("next_"): state for name, state in graphs["encoder"](**inputs).items()}
token, written = signature["start"], []
for _ in range(signature["decoder"]["max_length"] + 1):
    outputs = graphs["step"](tokens=np.array([[token]], np.int32), **states)
    states, logits = next_states(signature, outputs, states), outputs["logits"][0, -1].copy()
    logits[[signature["pad"], signature["unknown"], signature["start"]]] = -np.inf
    token = int(logits.argmax())
    if token == signature["end"]:
        break
    written.append(tokens[token])
word_start = signature.get("word_start")
print("".join(written).replace(word_start, " ").strip() if word_start else " ".join(written))
