"""The `zoo` command: one file per verb, which parses arguments, calls the Python API and prints."""
