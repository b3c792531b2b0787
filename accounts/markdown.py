"""Turn Markdown written by people into HTML that is safe to show to others."""

from __future__ import annotations

from unicodedata import east_asian_width

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.emphasis import tokenize

_WIDE = ("W", "F")


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Let * and ** begin and end beside Chinese, Japanese and Korean letters and punctuation.

    CommonMark closes no ** between 。 and です, because it expects the space that Western text has after a full stop.
    """
    start, known = state.pos, len(state.delimiters)
    if not tokenize(state, silent):
        return False
    before, after = state.src[max(start - 1, 0) : start], state.src[state.pos : state.pos + 1]
    if state.src[start] == "*" and any(char and east_asian_width(char) in _WIDE for char in (before, after)):
        for delimiter in state.delimiters[known:]:
            delimiter.open = delimiter.open or bool(after.strip())
            delimiter.close = delimiter.close or bool(before.strip())
    return True


# Raw HTML is off in the parser and also cleaned afterwards: either alone would do, so a mistake in one does no harm.
_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_PARSER.inline.ruler.at("emphasis", _emphasis)
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
# Longer than any biography or lesson text; rendering more would only cost time.
_LONGEST = 200_000


def render_markdown(text: str) -> SafeString:
    """Render Markdown as HTML without scripts, styles, frames, images or unusual link schemes.

    Headings move one level down, because the page has its h1. Images are left out: they would let one writer see
    the address of every reader.
    """
    tokens = _PARSER.parse(text[:_LONGEST].replace("\x00", ""))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(cleaned)  # noqa: S308  # nh3 has just cleaned it; hostile examples are in the tests
