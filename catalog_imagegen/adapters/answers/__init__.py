"""The answer to a catalog: the merchandiser's own table again, with what became of each row and cell."""
