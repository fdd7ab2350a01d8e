"""What an inspector asks for, whom it asks, and what it remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image, ImageFilter

from catalog_imagegen.domain.fingerprint import Digest, digest
from catalog_imagegen.domain.gates import Gates
from catalog_imagegen.domain.imaging import Prompt, TextFound, Wanted
from catalog_imagegen.pipeline.inspection import Inspector
from catalog_imagegen.pipeline.ports import Ledger
from catalog_imagegen.pipeline.studio import Studio
from tests.fakes import picture
from tests.unit.test_gates import mug, scene

STRICT = Gates(min_sharpness=40, max_likeness=5, max_letters=3, wordings={"duplicate": ("甲", "乙")})


class Looks:
    """As much of a ledger as an inspector asks."""

    def __init__(self, *known: tuple[str, str, str]) -> None:
        self.known = list(known)
        self.asked: list[str] = []

    def looks(self, role: str) -> list[tuple[str, str, str]]:
        """What stands."""
        self.asked.append(role)
        return self.known


class Letters:
    """Reads the same in every picture."""

    def __init__(self, *texts: str) -> None:
        self.found = [TextFound(text, (0, 0, 9, 9), 0.95) for text in texts]
        self.count = 0

    def read(self, image: Image.Image) -> list[TextFound]:  # noqa: ARG002 - the port has it
        """Count."""
        self.count += 1
        return self.found


def inspector(
    ledger: Looks, *, reader: Letters | None = None, is_placeholder: bool = False, gates: Gates = STRICT
) -> Inspector:
    """Of main pictures."""
    asked: Ledger = ledger  # type: ignore[assignment]  # all that is asked of it
    return Inspector({"main": gates}, asked, rerolls=4, reader=reader, is_placeholder=is_placeholder)


def wanted(order: int, *, family: str = "") -> Wanted:
    """A main picture of a product."""
    return picture("杯", order=order)._replace(family=family)


def seen_by(looking: Inspector, order: int, image: Image.Image, *, family: str = "") -> str:
    """The gate that stops it, or nothing."""
    found = looking.inspect(wanted(order, family=family), image)
    assert len(found.look) == 38
    return found.objection.stopped.gate if found.objection else ""


def test_the_second_product_that_looks_the_same_is_stopped() -> None:
    """And named; what is asked of its further takes goes with it."""
    looking = inspector(Looks())
    assert seen_by(looking, 1, scene()) == ""
    found = looking.inspect(wanted(2), scene())
    assert found.objection is not None
    assert (found.objection.stopped.gate, found.objection.stopped.message) == ("duplicate", "FAKE-0001")
    assert (found.objection.wordings, found.objection.at_most) == (("甲", "乙"), 4)
    assert seen_by(looking, 3, scene(3)) == ""


def test_variants_of_one_family_may_look_the_same() -> None:
    """So may new takes of one product."""
    looking = inspector(Looks())
    assert [seen_by(looking, order, scene(), family="F") for order in (1, 2, 1)] == ["", "", ""]
    assert seen_by(looking, 3, scene(), family="G") == "duplicate"


def test_what_stands_in_the_ledger_is_asked_for_once() -> None:
    """Of the role that is made."""
    look = inspector(Looks()).inspect(wanted(1), scene()).look
    ledger = Looks((look, "OLD", "OLD-1"))
    looking = inspector(ledger)
    assert [seen_by(looking, order, scene()) for order in (1, 2)] == ["duplicate"] * 2
    assert ledger.asked == ["main"]


def test_a_picture_that_is_stopped_is_no_example() -> None:
    """A blurred one of the same thing does not stop the sharp one of another product."""
    looking = inspector(Looks())
    assert seen_by(looking, 1, scene().filter(ImageFilter.GaussianBlur(5))) == "blurred"
    assert seen_by(looking, 2, scene()) == ""


def test_text_is_read_where_a_role_asks_for_it() -> None:
    """And only of what is good otherwise: reading is slow."""
    reader = Letters("限时特价")
    looking = inspector(Looks(), reader=reader)
    assert seen_by(looking, 1, scene().filter(ImageFilter.GaussianBlur(5))) == "blurred"
    assert reader.count == 0
    assert seen_by(looking, 1, scene()) == "text"
    assert reader.count == 1
    assert seen_by(inspector(Looks(), reader=reader, gates=Gates()), 1, scene()) == ""
    assert reader.count == 1
    assert seen_by(inspector(Looks()), 1, scene()) == ""


@pytest.mark.parametrize("is_placeholder", [False, True])
def test_placeholders_are_drawn_and_not_judged_as_if_they_were_not(is_placeholder: bool) -> None:
    """They bear letters and look alike; but one that a simulator blurs is blurred."""
    strict = replace(STRICT, min_product=0.9)
    looking = inspector(Looks(), reader=Letters("样张样张"), is_placeholder=is_placeholder, gates=strict)
    found = [seen_by(looking, order, mug()) for order in (1, 2)]
    assert found == ([""] * 2 if is_placeholder else ["small_product"] * 2)
    assert seen_by(looking, 3, mug().filter(ImageFilter.GaussianBlur(5))) == "blurred"


def test_roles_without_gates_pass() -> None:
    """A role that nobody asks anything of."""
    looking = Inspector({}, Looks(), rerolls=2)  # type: ignore[arg-type]  # all that is asked of it
    assert seen_by(looking, 1, scene().filter(ImageFilter.GaussianBlur(9))) == ""


class Photos:
    """A studio that finds the same likeness in every picture."""

    def __init__(self, score: float | None) -> None:
        self.score = score

    def likeness(self, photo: Digest, result: Image.Image) -> float | None:  # noqa: ARG002 - as the studio has it
        """The likeness."""
        return self.score


@pytest.mark.parametrize(("score", "doubt"), [(0.93, ""), (0.8, ""), (0.79, "unlike"), (None, "unlike")])
def test_a_picture_that_was_made_with_a_photo_is_compared_with_it(score: float | None, doubt: str) -> None:
    """Below what its role asks for, or where nothing can be measured, somebody has to look; others are not compared."""
    asked: Ledger = Looks()  # type: ignore[assignment]  # all that is asked of it
    studio: Studio = Photos(score)  # type: ignore[assignment]  # the same
    looking = Inspector({"main": Gates(min_fidelity=0.8)}, asked, studio=studio)
    given = wanted(1)._replace(compared=digest(b"photo"))
    found = looking.inspect(given, mug())
    assert (found.fidelity, found.doubt, found.objection) == (score, doubt, None)
    other = looking.inspect(wanted(2), mug())
    assert (other.fidelity, other.doubt) == (None, "")


def test_placeholders_are_not_compared() -> None:
    """They show no product."""
    asked: Ledger = Looks()  # type: ignore[assignment]  # all that is asked of it
    studio: Studio = Photos(0.1)  # type: ignore[assignment]  # the same
    looking = Inspector({"main": Gates(min_fidelity=0.8)}, asked, studio=studio, is_placeholder=True)
    assert looking.inspect(wanted(1)._replace(compared=digest(b"photo")), mug()).doubt == ""


@pytest.mark.parametrize(
    ("read", "stopped"),
    [
        (("限时 优惠", "¥199"), ""),
        (("限时", "优惠，快来"), ""),
        (("限时优患",), "wrong_text"),
        ((), "wrong_text"),
    ],
)
def test_what_the_prompt_asks_for_must_be_read(read: tuple[str, ...], stopped: str) -> None:
    """Whatever else is read; a prompt that quotes nothing is not read at all."""
    reader, gates = Letters(*read), Gates(check_text=True, wordings={"wrong_text": ("甲",)})
    looking = inspector(Looks(), reader=reader, gates=gates)
    quoting = wanted(1)._replace(prompt=Prompt('海报，写着 "限时优惠"'))
    found = looking.inspect(quoting, scene())
    assert (found.objection.stopped.gate if found.objection else "") == stopped
    if found.objection:
        assert (found.objection.stopped.message, found.objection.wordings) == ("限时优惠", ("甲",))
    assert looking.inspect(wanted(2), scene()).objection is None
    assert reader.count == 1
    simulated = inspector(Looks(), reader=reader, gates=gates, is_placeholder=True)
    assert simulated.inspect(quoting, scene()).objection is None
