"""The corpora of the family, one file each."""
