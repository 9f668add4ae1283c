"""Models, one file each, which the registry finds."""
