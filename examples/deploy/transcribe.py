"""Transcribe a recording: python transcribe.py EXPORT hello.wav

The script prints the answer of `zoo predict PRESET hello.wav --beam-width 1` for a recording without
silence at its begin and end.
"""

import sys

import numpy as np
from ctc import best_text
from graphs import open_export
from inputs import read_wav

graphs, signature = open_export(sys.argv[1])
waveform = read_wav(sys.argv[2], signature["sample_rate"])
lengths = np.array([len(waveform)], np.int32)
outputs = graphs["model"](waveform=waveform[np.newaxis], lengths=lengths)
print(best_text(outputs, signature))
