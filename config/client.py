"""The client's page, at every address that is the client's own. Its files are served by WhiteNoise."""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from api.core.problems import not_found


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The single page, whatever its address; the client's router does the rest. 404 for what looks like a file."""
    index = Path(settings.CLIENT_DIST) / "index.html"
    if "." in request.path.rpartition("/")[2] or not index.is_file():
        return not_found(request)
    return HttpResponse(_connected(index.read_text()), headers={"Cache-Control": "no-cache"})


def _connected(text: str) -> str:
    """The page as it was built, told of a gateway elsewhere, and by its own policy allowed to connect to it."""
    if settings.GATEWAY_URL:
        text = text.replace(
            'name="guildhall-live" content=""', f'name="guildhall-live" content="{settings.GATEWAY_URL}"'
        )
        text = text.replace("connect-src &#39;self&#39;", f"connect-src &#39;self&#39; {settings.GATEWAY_URL}")
    return text
