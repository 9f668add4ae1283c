"""Pronunciation: letters in, phonemes out."""
