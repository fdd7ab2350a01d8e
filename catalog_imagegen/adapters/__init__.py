"""Everything that touches the world; only ``bootstrap`` names these modules."""
