"""Measures the product against the plainest client that does the same job."""
