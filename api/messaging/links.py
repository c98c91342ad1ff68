"""The attachments of a message: https addresses in its text, by link, and what a text is compared by."""

import hashlib
import re
from typing import TypedDict
from urllib.parse import urlsplit

MOST = 20
# A link of Markdown with its label, or an address by itself; what ends a sentence does not belong to it.
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\((https://[^\s()<>]{1,2000})\)|(https://[^\s()<>\[\]\"]{1,2000})")
_TAIL = ".,;:!?'*_~`"


class Link(TypedDict):
    url: str
    label: str
    host: str


def links_in(text: str) -> list[Link]:
    """The first `MOST` different https addresses, in the order of the text. Other schemes are text and nothing else.

    `host` is where an address leads, whatever its label says; one with a user name in it is left out, for it is made
    to be misread.
    """
    found: dict[str, Link] = {}
    for label, labelled, bare in _LINK.findall(text):
        url = labelled or bare.rstrip(_TAIL)
        host = _host_of(url)
        if host and url not in found and len(found) < MOST:
            found[url] = {"url": url, "label": label.strip() or url, "host": host}
    return list(found.values())


def digest_of(text: str) -> bytes:
    """Equal for texts that differ in case, white space and punctuation only."""
    return hashlib.blake2b(" ".join(re.findall(r"\w+", text.casefold())).encode(), digest_size=16).digest()


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        return "" if parts.username is not None else parts.hostname or ""
    except ValueError:
        return ""
