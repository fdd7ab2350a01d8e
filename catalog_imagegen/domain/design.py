"""What files show beside a render: texts on it, another render next to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from catalog_imagegen.domain.imaging import Origin, Render, Verdict
from catalog_imagegen.domain.lettering import OwnFont, TextBox


@dataclass(frozen=True, slots=True)
class Pair:
    """Another render that stands beside the first, as a comparison."""

    second: Render
    labels: tuple[str, str]
    own: tuple[str, ...] = ()
    """Names of our own that labels may have."""
    width: int = 0
    """Pixels of both together."""
    height: int = 0


@dataclass(frozen=True, slots=True)
class Design:
    """All that is drawn on the files of a render, or put beside it."""

    boxes: tuple[TextBox, ...] = ()
    """With their texts."""
    fonts: tuple[OwnFont, ...] = ()
    """Those of the workspace that the boxes name."""
    pair: Pair | None = None
    faults: tuple[Verdict, ...] = ()
    """Why the texts are left out."""

    @property
    def words(self) -> tuple[str, ...]:
        """All texts that files show by it."""
        return (*(self.pair.labels if self.pair else ()), *(box.text for box in self.boxes))

    def origin(self, render: Render) -> Origin:
        """What files of a render show with it: a photo beside a model's work is no photo."""
        if self.pair is None or self.pair.second.origin == render.origin:
            return render.origin
        return "composite"

    def named(self) -> Mapping[str, Any]:
        """Everything that files differ by, as JSON."""
        pair = self.pair
        return {
            "boxes": [asdict(box) for box in self.boxes],
            "fonts": {font.name: font.digest for font in self.fonts},
            "pair": [
                pair.second.digest,
                pair.second.render_key,
                pair.second.origin,
                pair.labels,
                pair.own,
                pair.width,
                pair.height,
            ]
            if pair
            else [],
            "faults": [fault.message_en for fault in self.faults],
        }


PLAIN = Design()
"""Nothing but the render."""
