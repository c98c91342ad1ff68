"""Lists in pages, by keyset: the cost of a page does not grow with its number, and no table is counted."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from api.core.errors import FieldError, Invalid
from api.core.http import answer, dump

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# For `@extend_schema(parameters=…)` of a list that is paged and takes nothing else.
PARAMETERS = [OpenApiParameter("limit", int), OpenApiParameter("cursor", str)]


class BadCursor(Invalid):
    code = "invalid_cursor"
    message = "This cursor was not made by the list it is used on. Start again without it."


def read_limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        detail = f"The limit is a whole number from 1 to {MAX_LIMIT}."
        raise Invalid(errors=[FieldError("limit", detail)])
    return int(text)


def encode_cursor(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(dump(list(values))).rstrip(b"=").decode()


def decode_cursor(text: str, size: int) -> list[Any]:
    """The values in a cursor: `size` scalars. Raises BadCursor for anything else."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        raise BadCursor from None
    scalars = {str, int, float, type(None)}
    if not isinstance(values, list) or len(values) != size or not all(type(value) in scalars for value in values):
        raise BadCursor
    return values


def next_link(request: Request, values: Sequence[Any]) -> dict[str, str]:
    """The RFC 8288 header that leads to the page after the one that ended with `values`."""
    query = request.query_params.copy()
    query["cursor"] = encode_cursor(values)
    address = request.build_absolute_uri(request.path) + "?" + urlencode(sorted(query.items()))
    return {"Link": f'<{address}>; rel="next"'}


def page(
    request: Request,
    rows: QuerySet[Any],
    render: Callable[[Any], Any],
    order: Sequence[str] = ("-id",),
) -> HttpResponse:
    """One page of `rows`, each through `render`; `order` as for `cut`."""
    found, headers = cut(request, rows, order)
    return answer([render(row) for row in found], headers=headers)


def cut(
    request: Request, rows: QuerySet[Any], order: Sequence[str] = ("-id",)
) -> tuple[list[Any], dict[str, str] | None]:
    """The rows of one page, and the header that leads to the next when there is one.

    For lists that look something up for all rows of the page at once. `order` names fields, all ascending or all
    descending ("-id"); the last must be unique and none may be null.
    """
    limit = read_limit(request)
    names = [name.lstrip("-") for name in order]
    comparison = "lt" if order[0].startswith("-") else "gt"
    if text := request.query_params.get("cursor"):
        values = decode_cursor(text, len(names))
        after = Q()
        for index, name in enumerate(names):
            equal = dict(zip(names[:index], values[:index], strict=True))
            after |= Q(**equal, **{f"{name}__{comparison}": values[index]})
        try:
            # The first name once more by itself: an index is entered by it, not by the alternatives.
            rows = rows.filter(after, **{f"{names[0]}__{comparison}e": values[0]})
        except (ValidationError, ValueError, TypeError):
            raise BadCursor from None
    found = list(rows.order_by(*order)[: limit + 1])
    headers: dict[str, str] | None = None
    if len(found) > limit:
        found = found[:limit]
        last = found[-1]
        headers = next_link(request, [getattr(last, name) for name in names])
    return found, headers
