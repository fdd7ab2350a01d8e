"""The one transform that ComfyUI imports by name when it starts."""

from typing import Any


class MelScale:
    """Refuses to be made: the test peer handles no sound."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError(
            "the test peer has no torchaudio; give it a ComfyUI with the real one (COMFYUI_DIR)"
        )
