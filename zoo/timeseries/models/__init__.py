"""Time series models: a file each, found by the registry."""
