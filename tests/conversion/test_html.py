"""A page -> its text: inline elements tear nothing, and what is no text of the page is left out."""

import pytest

from axolotl_augft.conversion.blocks import Unusable
from axolotl_augft.conversion.html import from_html, from_markdown


def texts(html):
    return [block.text for block in from_html(html).blocks]


@pytest.mark.parametrize(
    "inline",
    [
        *("<ix:nonFraction name=x>word</ix:nonFraction>", "<acronym>word</acronym>", "<my-term>word</my-term>"),
        *("<blink>word</blink>", "<x-a><x-b>wo</x-b>rd</x-a>", "<output>word</output>", "<meter>word</meter>"),
        *("<nobr>word</nobr>", "<slot>word</slot>", "<center-ish>word</center-ish>", "wo<!-- c -->rd", "wo<wbr>rd"),
        *("<object>word</object>", "<ins><del>word</del></ins>", "<ruby>word</ruby>", "<picture><img></picture>word"),
        *("<svg><text>x</text></svg>word", "<video>no video</video>word", "<ix:header>hidden</ix:header>word"),
    ],
)
def test_what_is_no_block_is_part_of_the_line(inline):
    assert texts(f"<p>One {inline} more.</p><p>Two.</p>") == ["One word more.", "Two."]


@pytest.mark.parametrize(
    "block", ["div", "section", "details", "figcaption", "fieldset", "search", "hgroup", "dd", "summary"]
)
def test_a_block_ends_the_line(block):
    assert texts(f"one <{block}>two</{block}> three") == ["one", "two", "three"]
    assert texts(f"<my-page>one <{block}>two</{block}> three</my-page>") == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("ruby", "text"),
    [
        ("<ruby>漢字<rp>(</rp><rt>kanji</rt><rp>)</rp></ruby>", "漢字(kanji)"),
        ("<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby>", "漢(kan)字(ji)"),
    ],
)
def test_ruby(ruby, text):
    assert texts(f"<p>{ruby}です。</p>") == [f"{text}です。"]


@pytest.mark.parametrize(
    "link",
    [
        *(
            "<a href='#x'>¶</a>",
            "<a href='p.html#x'>#</a>",
            "<a href='#x'>\uf0c1</a>",
            "<a href='#x'>§</a>",
            "<a href='#x'></a>",
        ),
        *("<a class=headerlink href='#x'>Link to this heading</a>", "<a class='anchor hash-link' href='#x'>🔗</a>"),
        *(
            "<span class=mw-editsection>[edit]</span>",
            "<i>\ue000</i>",
            "<a class=viewcode-link href='m.html#f'>[source]</a>",
        ),
    ],
)
def test_permalinks(link):
    assert texts(f"<h2>Pay{link}</h2><p>It is paid. {link}</p>") == ["Pay", "It is paid."]


@pytest.mark.parametrize(
    "navigation",
    [
        *(
            "<nav>Home</nav>",
            "<div role=navigation>Home</div>",
            "<div role=banner>Acme</div>",
            "<p role=search>Find</p>",
        ),
        *("<div role=contentinfo>Acme</div>", "<div id=footer>Acme 2020</div>", "<div role=complementary>News</div>"),
        "<div class=sphinxsidebar><h3>Topics</h3><p><a href=a>One</a></p></div>",
        "<div class='wy-breadcrumbs breadcrumbs'><a href=a>Docs</a> » <a href=b>Pay</a></div>",
        "<div class=toc><p>Contents</p><dl><dt><a href='#a'>Basics of it all</a></dl></div>",
        "<ul><li><a href=a>One</a><li><a href=b>Two</a><li><a href=c>Three</a></ul>",
        "<table><tr><td><a href=a>Prev</a><td><a href=b>Up</a><td><a href=c>Next</a></table>",
        "<ul class=x><li><a accesskey=p href=a>Prev</a><li>The Handbook<li><a accesskey=n href=b>Next</a></ul>",
        "<p>Next: <a href=a rel=next>Tutorial</a>, Previous: <a href=b rel=prev>Manual</a> [<a href=c>All</a>]</p>",
        "<p>« <a href=a>previous</a> | <a href=b>up</a> | <a href=c>next</a> »</p>",
        "<div><a href='#s1'>1. Overview</a></div><div><a href='#s2'>2. Use</a></div>",
    ],
)
def test_navigation(navigation):
    assert texts(f"{navigation}<h1>Pay</h1><p>It is paid.</p>{navigation}") == ["Pay", "It is paid."]


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("<p>Ask <a href=m>Mara Quell</a>.</p>", ["Ask Mara Quell."]),
        (
            "<p><a href=a>The pump</a>, <a href=b>the valve</a> and <a href=c>the pipe</a>.</p>",
            ["The pump, the valve and the pipe."],
        ),
        (
            "<ul><li><a href=a>Pump</a> lifts water from the hall<li><a href=b>Valve</a> x<li><a href=c>Pipe</a></ul>",
            ["- Pump lifts water from the hall", "- Valve x", "- Pipe"],
        ),
        ("<ul><li><a href=a>Pump</a><li><a href=b>Valve</a></ul>", ["- Pump", "- Valve"]),
        (
            "<div class=sidebar><p>A block is a small area of the drive.</p></div>",
            ["A block is a small area of the drive."],
        ),
        (
            "<h2><a href='#pay'>Pay</a></h2><dl><dt><a href='#o'>--open</a><dd>Opens it.</dl>",
            ["Pay", "--open", "Opens it."],
        ),
        ("<p><a href='#big'><img src=x alt=y></a> A view.</p>", ["A view."]),
        ("<p>Use C# and a#b.</p>", ["Use C# and a#b."]),
        ("<div role=main><p>in</p></div><p>out</p>", ["in"]),
    ],
)
def test_text_with_links_stays(html, blocks):
    assert texts(html) == blocks


def test_a_document_has_no_navigation():
    links = "- [One](a)\n- [Two](b)\n- [Three](c)\n"
    assert [b.text for b in from_markdown(links).blocks] == ["- One", "- Two", "- Three"]


@pytest.mark.parametrize(
    "hidden",
    [
        *("<p hidden>out</p>", "<div hidden=hidden><p>out</p></div>", "<p style='display:none'>out</p>"),
        *("<p style='color: red; DISPLAY : none;'>out</p>", "<span style='visibility:hidden'>out</span>"),
        "<p><a href='#one'>2.2. Special handling of CROSS JOIN.</a></p>",
    ],
)
def test_what_no_reader_sees_is_left_out(hidden):
    assert texts(f"<p>One.</p>{hidden}<p>Two.</p>") == ["One.", "Two."]


@pytest.mark.parametrize(
    "shown",
    [
        *("<div role=tabpanel hidden>in</div>", "<p hidden=until-found>in</p>", "<p style='display:block'>in</p>"),
        "<p style='display:none'><math><mi>in</mi></math></p>",
    ],
)
def test_what_a_reader_can_open_stays(shown):
    assert texts(f"<p>One.</p>{shown}<p>Two.</p>") == ["One.", "in", "Two."]


@pytest.mark.parametrize("tag", ["div", "span", "ul><li", "sup", "blockquote"])
def test_elements_may_be_nested_as_deep_as_on_a_real_page(tag):
    closing = f"</{tag.partition('>')[0]}>"
    assert "in" in texts(f"<{tag}>" * 95 + "in" + closing * 95)[0]


@pytest.mark.parametrize("page", ["<div>" * 50_000 + "in", "<math>" + "<msup>" * 2000 + "x", "<b><i>" * 2000 + "in"])
def test_elements_without_end_are_refused_in_time(page):
    with pytest.raises(Unusable, match="elements nested more than 200 deep"):
        from_html(page)
