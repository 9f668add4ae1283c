"""Read the inputs of the other scripts: recordings and requests."""

import json
import wave
from pathlib import Path

import errors  # noqa: F401  (prints errors in one line)
import numpy as np


def read_wav(path, sample_rate):
    """Return the waveform of a 16-bit WAV file as mono float32 [samples] from -1 to 1."""
    with wave.open(path) as file:
        rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
        if (rate, width) != (sample_rate, 2):
            raise SystemExit(
                f"{path} must have {sample_rate} Hz and 16 bits. Received: {rate}, {8 * width}."
            )
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return (samples.reshape(-1, channels).mean(axis=1) / 32768).astype(np.float32)


def read_request(text):
    """Return the inputs of a request by name.

    The request is JSON, or "@request.json" to read it from a file. A value "@hello.wav" is replaced by
    the bytes of that file.
    """

    def read(value):
        if isinstance(value, list):
            return [read(each) for each in value]
        is_file = isinstance(value, str) and value.startswith("@")
        return Path(value[1:]).read_bytes() if is_file else value

    text = Path(text[1:]).read_text("utf-8") if text.startswith("@") else text
    return {name: read(value) for name, value in json.loads(text).items()}
