"""Captioners: a file each, found by the registry."""
