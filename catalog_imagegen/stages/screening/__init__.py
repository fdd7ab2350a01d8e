"""Finds the words of lists in texts, however they are spaced, widened or spelt with letters of another script."""

from catalog_imagegen.stages.screening.letters import letters
from catalog_imagegen.stages.screening.screen import NOTHING, Hit, Reaction, Screen, WordList

__all__ = ["NOTHING", "Hit", "Reaction", "Screen", "WordList", "letters"]
