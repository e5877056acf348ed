"""The HTML page: everything escaped, plots that follow the theme and don't get into each other's way."""

from __future__ import annotations

import re

import pytest

from fauxto.lab.html_report import HtmlPage, plot_grid

HOSTILE = "</title><script>alert('1')</script>\"&"
ESCAPED = "&lt;/title&gt;&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&quot;&amp;"


def test_every_text_is_escaped(tmp_path):
    page = HtmlPage(HOSTILE, HOSTILE)
    page.section(HOSTILE, HOSTILE + "\n\n" + HOSTILE)
    page.table([HOSTILE], [[HOSTILE]], HOSTILE)
    figure, ((axes,),) = plot_grid()
    axes.set_title(HOSTILE)
    page.figure(figure, HOSTILE, HOSTILE)
    html = page.write(tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.count(ESCAPED) == 12  # title twice, subtitle, contents, heading, two paragraphs, table 3, figure 2
    assert "<script" not in html
    assert html.count("</title>") == 1


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (["1", "-2.5", "1,234", "+0.3", "12 %", "1e-05"], True),
        ([1, 2.5, None], True),
        (["1", "two"], False),
        (["1.2.3"], False),
        ([""], False),
        ([None, None], False),
    ],
)
def test_columns_of_numbers_are_set_flush_right(tmp_path, cells, right):
    page = HtmlPage("t")
    page.table(["a"], [[cell] for cell in cells])
    html = page.write(tmp_path / "page.html").read_text()
    assert html.count("class=number") == (len(cells) + 1) * right
    assert html.count("–") == cells.count(None)


def test_a_row_of_another_length_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        HtmlPage("t").table(["a", "b"], [[1, 2], [3, 4, 5]])


def test_plots_take_ink_and_paper_from_the_page(tmp_path):
    page = HtmlPage("t")
    for _ in range(2):
        figure, ((left, right),) = plot_grid(1, 2)
        left.plot([1, 2], color="black", clip_on=True)
        left.plot([2, 1], color="#111111")
        right.bar(["a"], [1], color="white")
        page.figure(figure, "", "two plots")
    html = page.write(tmp_path / "page.html").read_text()
    plots = "".join(re.findall(r"<svg.*?</svg>", html, re.S))
    assert plots.count('aria-label="two plots"') == 2
    assert not re.search(r"#000000|#ffffff", plots)
    assert "stroke: currentColor" in plots
    assert "fill: var(--paper)" in plots
    assert "stroke: #111111" in plots
    clips = re.findall(r'<clipPath id="(\w+)"', plots)
    assert len(clips) == len(set(clips)) == 4
    assert set(re.findall(r"url\(#(\w+)\)", plots)) <= set(clips)


def test_the_same_page_is_written_again(tmp_path):
    def write(name):
        page = HtmlPage("t")
        figure, _ = plot_grid()
        page.figure(figure, "c", "a")
        return page.write(tmp_path / name).read_bytes()

    assert write("one.html") == write("two.html")
