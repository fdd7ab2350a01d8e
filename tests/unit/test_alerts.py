"""Each incident of a server is told once."""

from __future__ import annotations

import pytest

from catalog_imagegen.domain.incident import Incident, TroubleCode
from catalog_imagegen.pipeline.alerts import Alerts


@pytest.fixture
def heard() -> list[Incident]:
    """What was told."""
    return []


@pytest.fixture
def alerts(heard: list[Incident]) -> Alerts:
    """Of a run."""
    return Alerts(heard.append)


def codes(heard: list[Incident]) -> list[tuple[str, TroubleCode]]:
    """Server and code of each."""
    return [(incident.server, incident.code) for incident in heard]


def test_a_server_in_trouble_has_one_incident(alerts: Alerts, heard: list[Incident]) -> None:
    """Whatever it shows until it has proved itself: refused, then reset, then its jobs forgotten."""
    for code in ("refused", "reset", "refused", "restarted"):
        alerts.tell("a", code)
    alerts.tell("b", "refused")
    assert codes(heard) == [("a", "refused"), ("b", "refused")]
    assert alerts.incidents() == tuple(heard)


def test_what_comes_back_is_told_once_in_a_run(alerts: Alerts, heard: list[Incident]) -> None:
    """A server that fails all night fills no page; another kind of trouble is told."""
    for _ in range(3):
        alerts.tell("a", "refused")
        alerts.settle("a")
    alerts.tell("a", "cannot_save")
    assert codes(heard) == [("a", "refused"), ("a", "cannot_save")]


def test_a_restart_hides_no_later_trouble(alerts: Alerts, heard: list[Incident]) -> None:
    """Nothing needs to be done about the one, but about the other."""
    for code in ("restarted", "restarted", "dead_worker", "restarted"):
        alerts.tell("a", code)
    assert codes(heard) == [("a", "restarted"), ("a", "dead_worker")]


def test_some_things_are_wrong_besides(alerts: Alerts, heard: list[Incident]) -> None:
    """A deaf server may be out of memory, lack a model and then be gone."""
    for code in ("deaf", "out_of_memory", "server_lacks", "refused", "deaf", "out_of_memory"):
        alerts.tell("a", code)
    assert [code for _, code in codes(heard)] == ["deaf", "out_of_memory", "server_lacks", "refused"]
