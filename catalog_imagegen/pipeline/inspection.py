"""Looks at pictures whose files are good: whether they are good pictures of what they should show."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from PIL import Image

from catalog_imagegen.domain.gates import NO_GATES, Gates, Objection, Stopped
from catalog_imagegen.domain.imaging import Doubt, Wanted
from catalog_imagegen.pipeline.ports import Ledger, TextReader
from catalog_imagegen.pipeline.studio import Studio
from catalog_imagegen.pipeline.workshop import Inspection
from catalog_imagegen.stages.prompt import drawn
from catalog_imagegen.stages.quality.letters import stopped_by_text, stopped_by_wrong_text
from catalog_imagegen.stages.quality.likeness import Gallery
from catalog_imagegen.stages.quality.measures import measure, stopped_by


class Inspector:
    """The gates of a run; threads share it."""

    def __init__(
        self,
        gates: Mapping[str, Gates],
        ledger: Ledger,
        *,
        rerolls: int = 0,
        reader: TextReader | None = None,
        studio: Studio | None = None,
        is_placeholder: bool = False,
    ) -> None:
        self._gates = gates
        self._ledger = ledger
        self._rerolls = rerolls
        self._reader = reader
        self._studio = studio
        self._is_placeholder = is_placeholder
        self._galleries: dict[str, Gallery] = {}
        self._lock = threading.Lock()

    def inspect(self, picture: Wanted, image: Image.Image) -> Inspection:
        """Look at the pixels, in colour, of a picture; what passes is what later ones are compared with."""
        gates = self._gates_of(picture.key.role)
        measures = measure(image)
        stopped = (
            stopped_by(measures, gates)
            or self._stopped_by_text(picture, image, gates)
            or self._stopped_by_likeness(picture, measures.look, gates)
        )
        if stopped is None:
            return Inspection(measures.look, None, *self._compared(picture, image, gates))
        wordings = gates.wordings.get(stopped.gate, ())
        return Inspection(measures.look, Objection(stopped, wordings, self._rerolls))

    def _compared(self, picture: Wanted, image: Image.Image, gates: Gates) -> tuple[float | None, Doubt]:
        """How like its product is to that of the photo which the model was given, and whether that is enough."""
        if picture.compared is None or self._studio is None or self._is_placeholder:
            return None, ""
        score = self._studio.likeness(picture.compared, image)
        is_enough = not gates.min_fidelity or (score is not None and score >= gates.min_fidelity)
        return score, "" if is_enough else "unlike"

    def _gates_of(self, role: str) -> Gates:
        """What a role asks; of placeholders only that they are sharp and well exposed.

        They bear letters, products of one shape have the same one, and where things stand says nothing of any model.
        """
        gates = self._gates.get(role, NO_GATES)
        return (
            replace(gates, min_product=0.0, max_likeness=-1, max_letters=-1, check_text=False)
            if self._is_placeholder
            else gates
        )

    def _stopped_by_text(self, picture: Wanted, image: Image.Image, gates: Gates) -> Stopped | None:
        asked = drawn(picture.prompt.positive) if gates.check_text else []
        if self._reader is None or (gates.max_letters < 0 and not asked):
            return None
        found = self._reader.read(image)
        return stopped_by_text(found, gates) or stopped_by_wrong_text(found, asked)

    def _stopped_by_likeness(self, picture: Wanted, look: str, gates: Gates) -> Stopped | None:
        if gates.max_likeness < 0:
            return None
        family = picture.family or picture.sku
        with self._lock:
            gallery = self._gallery(picture.key.role)
            other = gallery.like(look, family=family, at_most=gates.max_likeness)
            if other is None:
                gallery.add(look, family=family, name=picture.sku)
        return None if other is None else Stopped("duplicate", other)

    def _gallery(self, role: str) -> Gallery:
        """The pictures of a role that stand: read once, then kept up by what passes."""
        if role not in self._galleries:
            self._galleries[role] = Gallery(self._ledger.looks(role))
        return self._galleries[role]
