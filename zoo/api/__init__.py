"""The Python API: one file per function. The public functions are those of `zoo`."""
