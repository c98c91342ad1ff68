"""JSON in and out, by orjson, in one shape."""

from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

# What orjson writes is at most 254 deep, and no honest document comes near.
_DEPTH = 100
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def dump(data: Any) -> bytes:
    """Serialise to JSON. Instants come out as RFC 3339 in UTC."""
    return orjson.dumps(data, option=_OPTIONS)


def answer(data: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A JSON response; 204 when there is nothing to say."""
    if data is None:
        return HttpResponse(status=204 if status == 200 else status, headers=headers)
    return HttpResponse(dump(data), status=status, content_type="application/json", headers=headers)


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The body is longer than is taken here."
    problem_code = "too_large"


class JSONParser(BaseParser):
    """Reads a JSON body of bearable length and depth. An empty body is an empty object."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise BodyTooLarge
        if not body.strip():
            return {}
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}.") from None
        # A body with few brackets cannot be deep; this keeps the walk away from the calls made most often.
        if body.count(b"[") + body.count(b"{") > _DEPTH and not _is_shallow(data):
            raise ParseError(f"The body is nested deeper than {_DEPTH} levels.")
        return data


def _is_shallow(data: Any) -> bool:
    level = [data]
    for _ in range(_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return not any(isinstance(each, (dict, list)) for each in level)


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
