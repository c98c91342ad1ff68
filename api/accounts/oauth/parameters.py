"""Reading OAuth2 parameters: all that could become a server error further in is refused here."""

import re
from urllib.parse import parse_qsl

LONGEST = 16_384
LONGEST_VALUE = 4_096
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Malformed(Exception):
    """What was sent is not a set of parameters. The text says why."""


def read(raw: str) -> dict[str, str]:
    """The parameters in a query or a form body, each exactly once, values byte for byte as UTF-8.

    An empty value counts as left out (RFC 6749, section 3.1). Raises Malformed.
    """
    if len(raw) > LONGEST:
        raise Malformed("The request is too long.")
    if not raw.isascii() or _BAD_ESCAPE.search(raw):
        raise Malformed("The percent-encoding is broken.")
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=40)
    except ValueError:
        raise Malformed("The parameters are not UTF-8, or there are too many.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Malformed(f"The parameter {name[:40]!r} is given twice.")
        if "\0" in name or "\0" in value:
            raise Malformed("A parameter contains a NUL character.")
        if len(value) > LONGEST_VALUE:
            raise Malformed(f"The parameter {name[:40]!r} is too long.")
        found[name] = value
    return {name: value for name, value in found.items() if value}
