"""Speech recognition: recordings in, transcripts out."""
