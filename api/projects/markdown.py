"""Markdown to HTML that may stand in a page: CommonMark and tables; no HTML of the author's own."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")
_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em", "strong", "s"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "img"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Links lead to pages or to mail; images come over https. Whatever else is there is dropped."""
    start = value.lower()
    if name == "href" and not start.startswith(("https://", "http://", "mailto:")):
        return None
    if name == "src" and not start.startswith("https://"):
        return None
    return value


@lru_cache(maxsize=128)
def render(text: str) -> str:
    """Safe HTML. Links carry `rel="noopener nofollow ugc"`, images are https only; alignment is lost."""
    return nh3.clean(
        _PARSER.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener nofollow ugc",
        strip_comments=True,
    )
