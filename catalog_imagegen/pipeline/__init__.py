"""What happens, in which order: gather, decide (pure), act through ports."""
