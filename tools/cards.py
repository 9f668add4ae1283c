"""Write CARD.md of every shipped preset from its files. `make results` runs this script."""

from zoo.common.presets import store
from zoo.common.presets.card import write_card
from zoo.common.utils.quiet import start_backend


def main() -> None:
    """Write the cards."""
    start_backend()
    for path in sorted(store.ROOT.glob(f"*/*/{store.RECIPE_FILE}")):
        write_card(path.parent)


if __name__ == "__main__":
    main()
