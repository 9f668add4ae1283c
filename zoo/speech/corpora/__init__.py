"""Speech corpora: a file each, with what it is and how it is read."""
