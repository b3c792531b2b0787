import html
import re

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from accounts.markdown import render_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](file:///etc/passwd)",
    '[x](https://a "onmouseover=alert(1) \\" onclick=alert(1)")',
    "<a href=javascript:alert(1)>x</a>",
    "<javascript:alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=password>",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    '```"><script>alert(1)</script>\nx\n```',
    "[x]: javascript:alert(1)\n\n[x]",
    "<!-- --><script>alert(1)</script>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)>",
    "\x00<script>alert(1)</script>",
    "[a](<javascript:alert(1)>)",
    "# <b onclick=alert(1)>x</b>",
    "| a |\n|---|\n| <script>alert(1)</script> |",
]


def assert_harmless(rendered):
    for tag in re.findall(r"<[^>]*>", rendered):
        name = re.match(r"</?([a-z0-9]+)", tag)
        assert name, tag
        assert name[1] not in {"script", "style", "img", "iframe", "svg", "form", "input", "base", "object", "math"}
        assert not re.search(r"\son\w+\s*=", re.sub(r'"[^"]*"', '""', tag)), tag
        for address in re.findall(r'(?:href|src)="([^"]*)"', tag):
            scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", html.unescape(address), re.IGNORECASE)
            assert scheme is None or scheme[1].lower() in {"http", "https", "mailto", "tel"}, tag


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_comes_out_harmless(text):
    assert_harmless(render_markdown(text))


@given(
    st.lists(
        st.sampled_from([*HOSTILE, "*", "_", "`", "[", "](", ")", "<", ">", "\n", "    ", "# ", '"', "&"]), max_size=8
    )
)
def test_hostile_pieces_in_any_order_come_out_harmless(pieces):
    assert_harmless(render_markdown("".join(pieces)))


def test_what_people_write_is_kept():
    rendered = render_markdown(
        "# Cello\n\nI *play* **well**.\n\n- one\n- [two](https://example.org)\n\n| a |\n|---|\n| b |"
    )
    assert "<h2>Cello</h2>" in rendered
    assert "<em>play</em> <strong>well</strong>" in rendered
    assert "<li>one</li>" in rendered
    assert '<a href="https://example.org" rel="nofollow noopener noreferrer">two</a>' in rendered
    assert "<td>b</td>" in rendered


def test_html_is_shown_as_it_was_typed():
    assert render_markdown("<b>x</b>") == "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"


def test_headings_leave_the_first_level_to_the_page():
    assert render_markdown("# a\n\n###### b").replace("\n", "") == "<h2>a</h2><h6>b</h6>"


def test_deep_nesting_and_length_do_no_harm():
    render_markdown("> " * 5000 + "x")
    render_markdown("[" * 20_000)
    render_markdown("*a " * 50_000)


def test_the_filter_takes_nothing_for_nothing():
    shown = Template("{% load markdown %}{{ a|markdown }}|{{ b|markdown }}").render(Context({"a": None, "b": "*x*"}))
    assert shown == "|<p><em>x</em></p>\n"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**日本語。**です", "<p><strong>日本語。</strong>です</p>"),
        ("これは**「大事」**です", "<p>これは<strong>「大事」</strong>です</p>"),
        ("*中文，*好", "<p><em>中文，</em>好</p>"),
        ("**bold**text and 2*3*4", "<p><strong>bold</strong>text and 2<em>3</em>4</p>"),
        ("a ** b ** c", "<p>a ** b ** c</p>"),
        ("snake_case_名。_前", "<p>snake_case_名。_前</p>"),
    ],
)
def test_emphasis_works_beside_letters_without_spaces_between_words(text, html):
    assert render_markdown(text).strip() == html


def test_links_may_name_a_telephone_number():
    assert 'href="tel:+441131234567"' in render_markdown("[Call me](tel:+441131234567)")
