"""Speech: recordings in, text out."""

from zoo.speech import bilstm_ctc as bilstm_ctc
