"""Markdown to HTML that may stand in a page: CommonMark and tables; no HTML of the author's own."""

import re
from functools import lru_cache
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table

# What the time of the parser grows with the square of. Text with more of it than any prose is shown as it stands.
_MARKS = re.compile(r"[\[\]*_~`]")
MAX_MARKS = 10_000
MAX_CELLS = 20_000


def _bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table, unless its head has so many columns that rows of one cell would be filled up to millions."""
    head = state.src[state.bMarks[start] : state.eMarks[start]]
    if (head.count("|") + 1) * (end - start) > MAX_CELLS:
        return False
    return table(state, start, end, silent)


_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")
_PARSER.block.ruler.at("table", _bounded_table, {"alt": ["paragraph", "reference"]})
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
    if len(_MARKS.findall(text)) > MAX_MARKS:
        return f"<pre>{escape(text)}</pre>\n"
    return nh3.clean(
        _PARSER.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener nofollow ugc",
        strip_comments=True,
    )
