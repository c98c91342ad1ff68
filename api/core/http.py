"""JSON in and out, by orjson, in one shape."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def dump(data: Any) -> bytes:
    """Serialise to JSON. Instants come out as RFC 3339 in UTC."""
    return orjson.dumps(data, option=_OPTIONS)


def answer(data: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON response; 204 when there is nothing to say."""
    if data is None:
        return HttpResponse(status=204 if status == 200 else status, headers=headers)
    return HttpResponse(dump(data), status=status, content_type="application/json", headers=headers)


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.read()
        if not body.strip():
            return {}
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}.") from None


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return dump(data)


class OnlyJSON(BaseContentNegotiation):
    """The API speaks JSON whatever `Accept` says; exports name their format in the query."""

    def select_parser(self, request: HttpRequest, parsers: list[Any]) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        for parser in parsers:
            if content_type in ("", parser.media_type):
                return parser
        raise UnsupportedMediaType(content_type)

    def select_renderer(self, request: HttpRequest, renderers: list[Any], format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
