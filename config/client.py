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
    return HttpResponse(index.read_bytes(), headers={"Cache-Control": "no-cache"})
