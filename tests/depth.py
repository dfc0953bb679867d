"""How many random cases a test draws: few at every run, many in `make test-deep`."""

import os

IS_DEEP = bool(os.environ.get("DEEP"))


def draws(usual: int, deep: int) -> int:
    """Return how many cases to draw in this run."""
    return deep if IS_DEEP else usual
