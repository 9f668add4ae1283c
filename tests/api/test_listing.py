"""Lists and descriptions of recipes."""

import pytest

import zoo
from zoo.api.listing import list_rows
from zoo.api.show import describe


def test_rows_agree_with_descriptions():
    for row in list_rows("language/*"):
        description = describe(row["name"])
        assert row["summary"] == description["summary"]
        assert row["preset"] == description["preset"]
        if row["test"] is not None:
            assert row["metric"] == description["metric"]
            values = [
                figures["metrics"].get(row["metric"]) for figures in description["figures"].values()
            ]
            assert row["test"] in values


def test_no_recipe_matches():
    with pytest.raises(zoo.ZooError, match="No recipe matches 'speach/"):
        list_rows("speach/*")
