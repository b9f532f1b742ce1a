import pytest

from app.catalogue.html import from_plain_text, sanitise, to_plain_text


@pytest.mark.parametrize(
    ("markup", "safe"),
    [
        ("<script>alert(1)</script>Mug", "Mug"),
        ('<p onclick="x()" style="color:red" class="a" data-mce="1">Mug</p>', "<p>Mug</p>"),
        ('<a href="javascript:alert(1)">Mug</a>', '<a rel="noopener noreferrer nofollow">Mug</a>'),
        ('<img src="https://cdn.example/a.jpg" onerror="x()">', '<img src="https://cdn.example/a.jpg">'),
        ('<iframe src="https://video.example/1"></iframe>Mug', "Mug"),
        ("<ul><li>One", "<ul><li>One</li></ul>"),
        ("5 < 6 & 7", "5 &lt; 6 &amp; 7"),
        ("<svg><script>alert(1)</script></svg>", ""),
    ],
)
def test_descriptions_keep_their_prose_and_lose_what_could_act(markup: str, safe: str) -> None:
    assert sanitise(markup) == safe
    assert sanitise(safe) == safe


def test_plain_text_reads_as_the_page_does() -> None:
    markup = (
        "<h2>Care</h2><p>Wash &amp; dry.<br>Cold water.</p>"
        "<ul><li><p>14k gold</p></li><li>Length, 12&quot;</li></ul>"
        "<table><tr><th>Size</th><th>Chest</th></tr><tr><td>M</td><td><p>96</p> cm</td></tr></table>"
        "<style>p { color: red }</style>End<br><br>of it"
    )
    assert to_plain_text(markup) == (
        'Care\n\nWash & dry.\nCold water.\n\n- 14k gold\n- Length, 12"\n\nSize | Chest\nM | 96 cm\n\nEnd\n\nof it'
    )


def test_a_text_without_markup_stays_itself() -> None:
    assert to_plain_text("Plain white shirt.  Two\n pockets.") == "Plain white shirt. Two pockets."


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("", ""),
        ("Tom & <Jerry>", "<p>Tom &amp; &lt;Jerry&gt;</p>"),
        ("one\ntwo\n\n \nthree\r\nfour", "<p>one<br>two</p><p>three<br>four</p>"),
    ],
)
def test_plain_text_becomes_paragraphs(text: str, markup: str) -> None:
    assert from_plain_text(text) == markup
