"""Texts as ComfyUI's page sends them."""

from __future__ import annotations

from datetime import datetime

import pytest

from catalog_imagegen.stages.conversion.text import chosen, names_files
from tests.unit.pages import BYPASSED, INSIDE, MUTED, Page

NOON = datetime(2026, 3, 4, 15, 6, 7)  # noqa: DTZ001 - in local time, as file names are


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("plain", "plain"),
        ("  two spaces \n", "  two spaces \n"),
        ("{red}", "red"),
        ("{a|b} {c|d}", "a c"),
        ("{|b}", ""),
        ("{}", ""),
        ("{{x|y}|z}", "x"),
        ("{a{b|c}d|e}", "abd"),
        ("{un", "un"),
        ("{a|b", "a"),
        ("{a|{b", "a"),
        ("a|b } c", "a|b } c"),
        (r"\{a\|b\}", "{a|b}"),
        (r"{a\|b|c}", "a|b"),
        (r"\n \\ end\ ".strip(), r"\n \\ end" + "\\"),
        ("a /* b\nc */ d", "a  d"),
        ("a // b\nc", "a \nc"),
        ("see http://x.y/{z} ok\nend", "see http:\nend"),
        ("a /* never closed", "a /* never closed"),
        ("a /*/ b */ c", "a  c"),
        ("// a */ b\n/* c */ d", "\n d"),
        ("1/2 a/b", "1/2 a/b"),
        ("//", ""),
        ("{a // }\n|b}", "a \n"),
        ("(w:1.2)", "(w:1.2)"),
    ],
)
def test_a_prompt(typed: str, sent: str) -> None:
    """Comments go, the first choice is taken, a backslash takes a sign's meaning away."""
    assert chosen(typed) == sent
    page = Page().node(1, "Text", [typed, typed])
    assert page.inputs_of("1") == {"text": sent, "plain": typed}


def test_deep_braces_are_no_crash() -> None:
    """And long texts are read in one go."""
    assert chosen("{" * 50_000 + "x" + "|y}" * 50_000) == "x"
    assert chosen("/* " * 50_000) == "/* " * 50_000


def test_only_own_text_is_chosen() -> None:
    """Text that a host holds, or takes from inside because it holds none, passes as it is."""
    for held in (["{h|i}"], []):
        page = Page().node(1, "sg", held)
        page.subgraph("sg", "text").node(
            5, "Text", ["{a|b}", ""], slots={"text": (INSIDE, 0, "STRING")}
        ).node(6, "Text", ["{c|d}", ""])
        graph = page.graph()
        assert graph["1:5"]["inputs"]["text"] == (held[0] if held else "{a|b}")
        assert graph["1:6"]["inputs"]["text"] == "c"


def test_text_of_a_primitive_is_chosen() -> None:
    """It is typed into the widget."""
    page = (
        Page().node(1, "PrimitiveNode", ["{p|q}"]).node(2, "Text", ["own"], slots={"text": (1, 0, "STRING")})
    )
    assert page.inputs_of("2")["text"] == "p"


def test_text_whose_link_leads_nowhere_is_chosen() -> None:
    """The widget then speaks for itself."""
    page = Page().node(1, "PrimitiveString", ["x"], mode=MUTED)
    page.node(2, "Text", ["{a|b}"], slots={"text": (1, 0, "STRING")})
    assert page.inputs_of("2")["text"] == "a"


def test_text_below_a_dynamic_combo_is_not_forgotten() -> None:
    """TextGenerate declares its prompt before, and others below."""
    page = Page().node(1, "TextGenerate", ["{a|b}"])
    assert page.inputs_of("1")["prompt"] == "a"


@pytest.mark.parametrize(
    ("prefix", "sent"),
    [
        ("%date:yyyy-MM-dd hh-mm-ss%", "2026-03-04 15-06-07"),
        ("%date:yy_M_d_h_m_s%", "26_3_4_15_6_7"),
        ("a%date:dd%b%date:MM%/c", "a04b03/c"),
        ("%date%", "%date%"),
        ("%year%_%width%", "%year%_%width%"),
        ("%Number.number%", "7"),
        ("%First one.number%", "5"),
        ("%Number.nothing%_%Nobody.number%", "%Number.nothing%_%Nobody.number%"),
        ("%a.b.c%", "%a.b.c%"),
        ("100%", "100%"),
        ("%Text.text%", "a_b_c_d_e_f_g_h_i_j_ k"),
        ("%Text.plain%", ""),
        ("%Kinds.number%_%Kinds.bool%_%Kinds.half%_%Kinds.null%", "8_true_0.5_"),
    ],
)
def test_tokens_in_a_file_name(prefix: str, sent: str) -> None:
    """Dates, and widgets by the name or the title of their node; what says nothing stays."""
    page = Page()
    page.node(1, "Number", [7], properties={"Node name for S&R": "Number"})
    page.node(2, "Number", [5], title="First one")
    page.node(3, "Text", ['a/b?c<d>e\\f:g*h|i"j\n k'], properties={"Node name for S&R": "Text"})
    page.node(4, "SaveImage", [prefix], slots={"images": (1, 0, "IMAGE")})
    page.node(5, "Kinds", [8.0, True, 0.5, None], title="Kinds", mode=BYPASSED)
    assert page.inputs_of("4", now=NOON)["filename_prefix"] == sent


def test_without_a_time_dates_stay() -> None:
    """So the same file gives the same graph at any time."""
    page = (
        Page()
        .node(4, "SaveImage", ["%date:yyyy%_%KSampler.seed%"])
        .node(5, "KSampler", [3], title="KSampler")
    )
    assert page.inputs_of("4")["filename_prefix"] == "%date:yyyy%_3"


def test_the_first_node_in_the_file_is_meant() -> None:
    """Depth first, nodes inside subgraphs too; the property comes before any title."""
    page = Page().node(1, "Number", [1], title="N").node(2, "sg")
    page.subgraph("sg").node(5, "Number", [2], properties={"Node name for S&R": "N"})
    page.node(3, "Number", [3], properties={"Node name for S&R": "N"}).node(4, "SaveImage", ["%N.number%"])
    assert page.inputs_of("4")["filename_prefix"] == "2"


def test_a_default_title_is_a_title() -> None:
    """That of the class, and that of a subgraph with what its host holds."""
    page = Page().node(1, "sg", ["{x}"])
    page.subgraph("sg", "text").node(5, "Text", ["own"], slots={"text": (INSIDE, 0, "STRING")})
    page.node(4, "SaveImage", ["%sg.text%_%Empty Latent Image.width%"]).node(6, "EmptyLatentImage", [640])
    assert page.inputs_of("4")["filename_prefix"] == "{x}_640"


def test_a_promoted_file_name_is_left_alone() -> None:
    """As a promoted prompt is."""
    page = Page().node(1, "sg", ["%date:yyyy%"])
    page.subgraph("sg", "p").node(
        5, "SaveImage", ["x"], slots={"images": "IMAGE", "filename_prefix": (INSIDE, 0, "STRING")}
    )
    assert page.inputs_of("1:5", now=NOON)["filename_prefix"] == "%date:yyyy%"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("SaveImage", True),
        ("SaveAudioMP3", True),
        ("SaveSVGNode", True),
        ("CheckpointSave", False),
        ("SaveText", False),
    ],
)
def test_which_classes_name_files(kind: str, expected: bool) -> None:
    """CheckpointSave and SaveText have a prefix too, but the page does nothing with it."""
    assert names_files(kind) is expected
