"""The `zoo` command: one file a verb, thin functions over plain ones that return JSON-ready values."""
