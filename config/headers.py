"""Headers of the client's files, which WhiteNoise serves before any other middleware sees them."""

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


def add_headers(headers: Any, path: str, url: str) -> None:
    """Give pages their policy, and have browsers ask for them anew: the files they name change with each build."""
    from api.core.middleware import ContentSecurityPolicy  # reads the settings, which name this function

    if not path.endswith(".html"):
        return
    headers["Cache-Control"] = "no-cache"
    if Path(path).name == "frame.html":
        headers["Content-Security-Policy"] = FRAME_POLICY
    else:
        headers["Content-Security-Policy"] = ContentSecurityPolicy.policy
        headers["X-Frame-Options"] = "DENY"
