"""HTML by construction: what is not markup already is escaped where it is put in."""

from __future__ import annotations

from collections.abc import Iterable

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
VOID = {"br", "col", "hr", "img", "input", "link", "wbr"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Return a text as HTML, as `html.escape`, which brings every entity of HTML with it.

    >>> escape("a < b")
    'a &lt; b'
    """
    return Markup(text.translate(_ENTITIES))


def joined(parts: Iterable[object]) -> Markup:
    """Return parts one after another; what is not markup is escaped."""
    return Markup(
        "".join(part if isinstance(part, Markup) else escape(str(part)) for part in parts)
    )


def element(name: str, *content: object, **attributes: str | bool | None) -> Markup:
    """Return an element; an attribute that is None or False is left out, True has no value.

    `class_` stands for class and an underscore for a dash.

    >>> element("td", "a < b", data_kind="flops", hidden=False)
    '<td data-kind="flops">a &lt; b</td>'
    """
    written = "".join(
        f" {key.strip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    end = "" if name in VOID else f"</{name}>"
    return Markup(f"<{name}{written}>{joined(content)}{end}")


def table(
    head: Iterable[object], rows: Iterable[Iterable[object]], **attributes: str | bool | None
) -> Markup:
    """Return a table; the first cell of each row is its header."""
    titles = (element("th", title, scope="col") for title in head)
    body = (
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in cells))
        for first, *cells in rows
    )
    return element(
        "table",
        element("thead", element("tr", *titles)),
        element("tbody", *body),
        **attributes,
    )
