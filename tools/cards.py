"""Write CARD.md of every shipped preset from its files. Nothing is measured. Run by `make results`."""

from zoo.common.presets import store
from zoo.common.presets.card import write_card
from zoo.common.utils.quiet import start_backend


def main() -> None:
    """Write them."""
    start_backend()
    for path in sorted(store.ROOT.glob(f"*/*/{store.RECIPE_FILE}")):
        write_card(path.parent)


if __name__ == "__main__":
    main()
