"""Convert a word to phonemes: python pronounce.py EXPORT seventeen

The script prints the answer of `zoo predict`.
"""

import sys

import numpy as np
from graphs import open_export

graphs, signature = open_export(sys.argv[1])
letters = [signature["letters"].index(letter) + 1 for letter in sys.argv[2].upper()]
inputs = {"letters": np.array([letters], np.int32), "lengths": np.array([len(letters)], np.int32)}
tags = [
    signature["labels"][best] for best in graphs["model"](**inputs)["logits"][0].argmax(axis=-1)
]
sounds = [tag for tag in tags if tag != signature["silent"]]
print(" ".join(sounds).replace(signature["joint"], " "))
