"""Renders what a plan asks for: each picture once, whatever dies when."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence

from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.domain.job import Capacity
from catalog_imagegen.pipeline.alerts import Alerts
from catalog_imagegen.pipeline.board import Board, Task
from catalog_imagegen.pipeline.drive import Driver, Hall
from catalog_imagegen.pipeline.policy import ANYWHERE, Terms, first_terms, may_make
from catalog_imagegen.pipeline.settle import NOBODY
from catalog_imagegen.pipeline.speeds import Speeds
from catalog_imagegen.pipeline.workshop import Made, Production, Workshop

log = logging.getLogger(__name__)

FAREWELL_S = 12.0
"""How long an interrupted run waits for its threads to take back what they sent."""


def produce(pictures: Sequence[Wanted], shop: Workshop, stop: threading.Event) -> Production:
    """Render *pictures* on all servers and record the results.

    Ends when every picture is rendered, failed or in nobody's reach. Pictures that nobody could
    render stay planned. A failed picture never stops the others; a server that stays away is left
    to the other servers, and named in ``unavailable``. After *stop* what was sent stays on the servers, and
    the next run adopts it; after Ctrl-C it is taken back.
    """
    production = Production()
    alerts = Alerts(shop.on_alert)
    speeds = Speeds(shop.speeds)
    board = Board(
        _tasks(pictures, shop, production),
        {backend.name: backend.capacity for backend in shop.backends},
        speeds=speeds,
        group_wait_s=shop.group_wait_s,
    )
    hall = Hall(shop, board, speeds, alerts, production, stop)
    drivers = [Driver(hall, backend) for backend in shop.backends]
    threads = [thread for driver in drivers for thread in driver.threads()]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        hall.is_interrupted.set()
        stop.set()
        deadline = time.monotonic() + FAREWELL_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        raise
    if production.crash is not None:
        raise production.crash
    if not stop.is_set():
        for picture in board.beyond_all():
            _give_up(picture, shop, production)
    production.incidents = alerts.incidents()
    production.unavailable = [error for driver in drivers if (error := driver.left_because) is not None]
    return production


def _may_make(server: str, picture: Wanted, capacities: Mapping[str, Capacity]) -> bool:
    return server in capacities and may_make(server, capacities[server], picture, ANYWHERE)


def _tasks(pictures: Sequence[Wanted], shop: Workshop, production: Production) -> list[Task]:
    """Each picture with its first terms: a server that may know it already comes before any other."""
    capacities = {backend.name: backend.capacity for backend in shop.backends}
    unfinished = shop.ledger.open_attempts([picture.render_key for picture in pictures])
    tasks = []
    for picture in pictures:
        attempt = unfinished.get(picture.render_key)
        terms: Terms | None
        if attempt is not None and _may_make(attempt.server, picture, capacities):
            terms = Terms(only=attempt.server, shrink=min(attempt.shrink, len(picture.smaller)))
        else:
            terms = first_terms(picture, capacities)
        if terms is not None:
            tasks.append(Task(picture, terms))
        elif capacities:
            _give_up(picture, shop, production)
    return tasks


def _give_up(picture: Wanted, shop: Workshop, production: Production) -> None:
    failure = Failure("server_lacks", NOBODY)
    shop.ledger.give_up(picture.key, picture.render_key, failure)
    made = Made(picture, "failed", failure)
    production.made.append(made)
    shop.on_made(made)
