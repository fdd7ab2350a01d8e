"""ComfyUI servers as render backends."""
