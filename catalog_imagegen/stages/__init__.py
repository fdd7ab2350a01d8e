"""Pure steps on the way from a row to a listing; they do not know each other."""
