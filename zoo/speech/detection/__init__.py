"""Classification and detection: recordings in, labels with times out."""
