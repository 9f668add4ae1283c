"""Speech models: a file each, found by the registry."""
