"""``python -m bench``: runs the throughput benchmark."""

from bench.throughput import main

main()
