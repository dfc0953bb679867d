"""Where the names of points stand on a drawing, so that none covers another thing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from calculator.web.charts.vega import LETTER

Spot = tuple[float, float]  # in pixels, from the top left
LINE = 14.0  # pixels of a line of text at 12 pixels
GAP = 8.0  # between a point and its name


class Place(NamedTuple):
    """Where a text is placed: an offset from its point in pixels, and the side it begins at."""

    dx: float
    dy: float
    align: str


class Box(NamedTuple):
    """A rectangle of the drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Return whether two rectangles have a spot in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def crossed(self, start: Spot, end: Spot) -> bool:
        """Return whether a straight line passes through (Liang and Barsky, 1984)."""
        first, last = 0.0, 1.0
        for place, low, high in ((0, self.left, self.right), (1, self.top, self.bottom)):
            step = end[place] - start[place]
            if step == 0:
                if not low < start[place] < high:
                    return False
                continue
            near, far = sorted(((low - start[place]) / step, (high - start[place]) / step))
            first, last = max(first, near), min(last, far)
        return first < last


PLACES = (
    Place(GAP, GAP, "left"),
    Place(-GAP, -GAP, "right"),
    Place(0, GAP + LINE / 2, "center"),
    Place(0, -GAP - LINE / 2, "center"),
    Place(0, -GAP - LINE / 2, "left"),
    Place(0, GAP + LINE / 2, "left"),
    Place(0, -GAP - LINE / 2, "right"),
    Place(0, GAP + LINE / 2, "right"),
    Place(GAP, 0, "left"),
    Place(-GAP, 0, "right"),
)
"""The places of a name in the order they are tried: below a slanted roof first, then above it."""


def around(spot: Spot, text: str, place: Place) -> Box:
    """Return the rectangle that a text takes next to a spot; its middle is on the offset's line."""
    wide = LETTER * len(text)
    shift = {"left": 0.0, "center": wide / 2, "right": wide}[place.align]
    left, middle = spot[0] + place.dx - shift, spot[1] + place.dy
    return Box(left, middle - LINE / 2, left + wide, middle + LINE / 2)


def place(
    names: Sequence[tuple[Spot, str]],
    lines: Sequence[Sequence[Spot]],
    taken: Sequence[Box],
    size: Spot,
) -> list[Place | None]:
    """Return a place for the name of each spot, or None if there is no room for it.

    `lines` and `taken` are what a name must not cover, as it must not cover a spot or a name
    that stands already; `size` is the width and the height of the drawing.
    """
    full = [*taken, *(Box(x - 5, y - 5, x + 5, y + 5) for (x, y), _ in names)]
    found: list[Place | None] = []
    for spot, text in names:
        for each in PLACES:
            box = around(spot, text, each)
            inside = box.left >= 0 <= box.top and box.right <= size[0] and box.bottom <= size[1]
            if (
                inside
                and not any(box.meets(other) for other in full)
                and not any(
                    box.crossed(start, end) for line in lines for start, end in pairwise(line)
                )
            ):
                full.append(box)
                found.append(each)
                break
        else:
            found.append(None)
    return found
