"""Speech: recordings in, text out."""
