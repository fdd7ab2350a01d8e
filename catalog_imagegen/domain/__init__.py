"""The words of the house as frozen values; imports nothing of ours and nothing that does I/O."""
