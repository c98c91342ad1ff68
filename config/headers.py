"""Headers of pages and of the client's files, whoever serves them: a view, WhiteNoise, or nginx."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

# What a requester's own HTML may do: run and load, in an origin of its own, from nowhere but the web at large.
FRAME_POLICY = "; ".join(
    [
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval' https:",
        "style-src 'unsafe-inline' https:",
        "img-src https: data: blob:",
        "media-src https: data: blob:",
        "font-src https: data:",
        "connect-src https:",
        "frame-src https:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ]
)


def page_policy(*, local: bool = False, forms: Sequence[str] = (), live: str = "") -> str:
    """The one strict policy of every page that is served. `forms` are other origins where signing in may end, `live`
    is one that live updates come from.

    A page may have one of its own (the documentation and the sandboxed frame do).
    """
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' https: data: blob:",
            "media-src 'self' https: blob:",
            f"connect-src 'self' {live}".rstrip(),
            # A requester tries out a page of their own on the machine where it is written.
            "frame-src 'self' https:" + (" http://127.0.0.1:* http://localhost:*" if local else ""),
            " ".join(["form-action 'self'", *forms]),
            "manifest-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def add_headers(headers: Any, path: str, url: str) -> None:
    """Give pages their policy, and have browsers ask for them anew: the files they name change with each build."""
    from django.conf import settings  # names this function

    if not path.endswith(".html"):
        return
    headers["Cache-Control"] = "no-cache"
    if Path(path).name == "frame.html":
        headers["Content-Security-Policy"] = FRAME_POLICY
    else:
        headers["Content-Security-Policy"] = settings.PAGE_POLICY
        headers["X-Frame-Options"] = "DENY"
