"""The built site over HTTP, packed, and under any path."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import waitress
from whitenoise import WhiteNoise

Answer = Callable[..., object]


def server(folder: Path, port: int, prefix: str = "/") -> Any:
    """Return a server of a folder's files, packed where they are."""

    def not_found(environ: dict[str, Any], start_response: Answer) -> list[bytes]:
        """Answer with the site's own page where there is no file."""
        start_response("404 Not Found", [("Content-Type", "text/html; charset=utf-8")])
        return [(folder / "404.html").read_bytes()]

    def sitemap(environ: dict[str, Any], start_response: Answer) -> list[bytes]:
        """Answer with the sitemap of this address: instant navigation follows what it lists."""
        here = f"http://{environ['HTTP_HOST']}{environ['PATH_INFO'].removesuffix('sitemap.xml')}"
        text = (folder / "sitemap.xml").read_text("utf-8")
        home = text.partition("<loc>")[2].partition("</loc>")[0]
        start_response("200 OK", [("Content-Type", "application/xml")])
        return [text.replace(home, here).encode()]

    files = WhiteNoise(
        not_found,
        root=folder,
        prefix=prefix,
        index_file=True,
        max_age=0,
        immutable_file_test=lambda path, url: "/assets/runtime/" in url,
    )

    def site(environ: dict[str, Any], start_response: Answer) -> Any:
        asked = environ["PATH_INFO"]
        return (sitemap if asked == f"{prefix}sitemap.xml" else files)(environ, start_response)

    return waitress.create_server(site, host="127.0.0.1", port=port, threads=8)
