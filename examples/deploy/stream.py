"""Recognize speech while it arrives: recorder | python stream.py EXPORT

Standard input is signed 16-bit little-endian PCM of one channel, at the rate of the model. The script
prints each label when it is recognized. It prints the same text as `zoo predict PRESET - --stream`
without endpoints.
"""

import sys

import numpy as np
from graphs import first_states, next_states, open_export

SECONDS = 0.1  # of a block

graphs, signature = open_export(sys.argv[1])
if "step" not in graphs:
    sys.exit("stream.py: the model of this export needs the whole recording.")
states, last = first_states(signature), signature["blank"]
chunk = signature["chunk_samples"]
size = 2 * chunk * max(1, round(SECONDS * signature["sample_rate"] / chunk))
ends = [b"\0" * 2 * chunk] * signature["end_frames"]  # the last labels are late
pcm = sys.stdin.buffer
while block := pcm.read(size) or (ends.pop() if ends else b""):
    padded = block.ljust(-len(block) % (2 * chunk) + len(block), b"\0")
    waveform = np.frombuffer(padded, "<i2").astype(np.float32) / 2**15
    outputs = graphs["step"](waveform=waveform[np.newaxis], **states)
    states = next_states(signature, outputs, states)
    for label in outputs["logits"][0].argmax(axis=-1).tolist():
        if label not in (last, signature["blank"]):
            print(signature["labels"][label], end=signature["separator"], flush=True)
        last = label
print()
