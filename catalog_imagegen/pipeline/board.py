"""Hands out the pictures that are still to be made: each to the server that is expected to finish it first."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.domain.job import Capacity
from catalog_imagegen.pipeline.policy import ANYWHERE, Terms, first_terms, may_make
from catalog_imagegen.pipeline.speeds import Speeds

TAIL = 4
"""While more pictures wait than this many times all places, every server may take what it can: none will be idle."""
WORTH_MOVING_S = 0.5
"""A picture that waits on one server is moved to an idle one if it is done this much sooner there, and by a tenth."""
FULL_FOR_S = 1.0
"""How long a server counts as full after no place was to be had there."""
MOVE_S = 0.3
"""What moving costs."""

Group = tuple[str, tuple[str, ...]]
"""A workflow and the model files it loads."""


@dataclass(frozen=True, slots=True)
class Task:
    """A picture to make, and how."""

    picture: Wanted
    terms: Terms = ANYWHERE

    @property
    def key(self) -> Fingerprint:
        """The render to make."""
        return self.picture.render_key

    @property
    def group(self) -> Group:
        """Pictures of one group need no change of models between them."""
        return self.picture.workflow, self.picture.models


@dataclass(slots=True)
class Station:
    """What the board knows of a server."""

    name: str
    capacity: Capacity
    group: Group | None = None
    """Whose models it was sent last."""
    sent: list[tuple[Task, float]] = field(default_factory=list)
    """In flight, the next to end first, each with the seconds it is expected to take."""
    head_began: float = 0.0
    is_away: bool = False
    is_released: bool = False
    """It stays away, or has made nothing since: what it was sent may be made by others."""
    full_until: float = 0.0
    """Other processes have all its places."""
    recalled: set[Fingerprint] = field(default_factory=set)

    def ready_at(self, now: float, count: int | None = None) -> float:
        """When the first *count* of its pictures, or all, are expected to be done."""
        costs = [seconds for _, seconds in self.sent[:count]]
        return max(now, self.head_began + costs[0]) + sum(costs[1:]) if costs else now


class Board:
    """Shared by the threads that feed servers.

    *homes*: renders that a server may know already, and which. *group_wait_s*: how long pictures may wait because
    others need no change of models.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        servers: Mapping[str, Capacity],
        *,
        speeds: Speeds,
        group_wait_s: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._speeds = speeds
        self._group_wait_s = group_wait_s
        self._stations = {name: Station(name, capacity) for name, capacity in servers.items()}
        self._places = sum(capacity.in_flight for capacity in servers.values())
        self._groups: dict[Group, deque[Task]] = {}
        self._delayed: list[tuple[float, Task]] = []
        self._served: dict[Group, float] = {}
        self._in_hand = 0
        self._is_over = False
        self._changed = threading.Condition()
        for task in tasks:
            self._queue(task)

    def take(self, server: str) -> Task | None:
        """The next picture for a server; None if none is left for it, or others will be sooner."""
        with self._changed:
            now = self._clock()
            self._revive(now)
            station = self._stations[server]
            if station.is_away or self._is_over:
                return None
            task = self._pick(station, now)
            if task is None or not self._is_first_here(station, now):
                if not station.sent:
                    self._recall_for(station, now)
                return None
            self._groups[task.group].remove(task)
            self._in_hand += 1
            return task

    def send(self, server: str, task: Task) -> bool:
        """A picture is on a server's queue now; says whether the server must change its models for it."""
        with self._changed:
            now, station = self._clock(), self._stations[server]
            changes = station.group != task.group
            seconds = self._speeds.seconds(server, task.picture, shrink=task.terms.shrink)
            seconds += self._change_s(station, task)
            if not station.sent:
                station.head_began = now
            station.sent.append((task, seconds))
            station.group = task.group
            self._served[task.group] = now
            return changes

    def end(self, server: str, task: Task) -> None:
        """A picture has left a server's queue, made or not; it is still in hand."""
        with self._changed:
            station = self._stations[server]
            station.sent = [(t, s) for t, s in station.sent if t.key != task.key]
            station.head_began = self._clock()
            station.recalled.discard(task.key)

    def put_back(self, task: Task, *, delay_s: float = 0.0) -> None:
        """Return a picture to be made next, or after a while."""
        with self._changed:
            self._in_hand -= 1
            home = self._stations.get(task.terms.only)
            if home is not None and home.is_away and home.is_released:
                task = _freed(task, home.name)
            if delay_s:
                self._delayed.append((self._clock() + delay_s, task))
            else:
                self._queue(task, at_front=True)
            self._changed.notify_all()

    def finish(self) -> None:
        """One picture less."""
        with self._changed:
            self._in_hand -= 1
            self._changed.notify_all()

    def go_away(self, server: str) -> None:
        """A server can be given nothing for now."""
        with self._changed:
            self._stations[server].is_away = True
            if self._stations[server].is_released:
                self._free_all(server)
            self._changed.notify_all()

    def come_back(self, server: str, capacity: Capacity | None = None) -> None:
        """A server can be given pictures again; *capacity* is what it says of itself now."""
        with self._changed:
            station = self._stations[server]
            if capacity is not None:
                station.capacity = replace(capacity, unfit=capacity.unfit | station.capacity.unfit)
            station.is_away = False
            station.head_began = self._clock()
            self._changed.notify_all()

    def trust(self, server: str) -> None:
        """A server has proved itself: what it is sent is made there."""
        with self._changed:
            self._stations[server].is_released = False

    def release_home(self, server: str) -> None:
        """Let others make what was to be made on a server that stays away."""
        with self._changed:
            self._stations[server].is_released = True
            self._free_all(server)
            self._changed.notify_all()

    def exclude(self, server: str, workflow: str) -> None:
        """A server cannot run a workflow after all."""
        with self._changed:
            station = self._stations[server]
            station.capacity = replace(station.capacity, unfit=station.capacity.unfit | {workflow})

    def capacities(self, *, with_absent: bool = False) -> Mapping[str, Capacity]:
        """What each server may be given, but for those that stay away; one that has not said may have any memory."""
        with self._changed:
            return {
                name: replace(s.capacity, vram_gb=s.capacity.vram_gb or (math.inf if s.is_away else 0.0))
                for name, s in self._stations.items()
                if with_absent or not (s.is_away and s.is_released)
            }

    def unfit(self, server: str) -> set[str]:
        """The workflows that wait here and that a server cannot run."""
        with self._changed:
            unfit = self._stations[server].capacity.unfit
            return {workflow for (workflow, _), tasks in self._groups.items() if tasks and workflow in unfit}

    def is_expected(self, server: str) -> bool:
        """Whether a server is one of ours and there, or not away for long."""
        with self._changed:
            station = self._stations.get(server)
            return station is not None and not station.is_released

    def is_fit(self, server: str, picture: Wanted) -> bool:
        """Whether one of our servers may make a picture."""
        with self._changed:
            return may_make(server, self._stations[server].capacity, picture, ANYWHERE)

    def beyond_all(self) -> list[Wanted]:
        """The pictures that are left and that none of our servers may make, be it there or away."""
        servers = self.capacities(with_absent=True)
        with self._changed:
            tasks = [*self._waiting(), *(task for _, task in self._delayed)]
        return [task.picture for task in tasks if first_terms(task.picture, servers) is None]

    def expected_s(self, server: str) -> float | None:
        """Seconds until the next picture of a server is expected to end; None while nobody can know."""
        with self._changed:
            station = self._stations[server]
            if not station.sent or not self._speeds.is_known(server, station.sent[0][0].picture):
                return None
            return station.head_began + station.sent[0][1] - self._clock()

    def recalls(self, server: str) -> list[Task]:
        """Pictures that wait on a server and would be made sooner by another; asked for once."""
        with self._changed:
            station = self._stations[server]
            found = [task for task, _ in station.sent if task.key in station.recalled]
            station.recalled.clear()
            return found

    def take_stranded(self) -> list[Task]:
        """When nobody goes on any more: the pictures that no server may make on their terms, there or away."""
        with self._changed:
            if self._is_over or self._in_hand or not self._is_hopeless():
                return []
            stations = self._stations.values()
            stranded = [
                task
                for task in self._waiting()
                if not any(may_make(s.name, s.capacity, task.picture, task.terms) for s in stations)
            ]
            for task in stranded:
                self._groups[task.group].remove(task)
            self._in_hand += len(stranded)
            return stranded

    def mark_full(self, server: str) -> None:
        """Other processes hold all places of a server: for a while nothing is left to it."""
        with self._changed:
            self._stations[server].full_until = self._clock() + FULL_FOR_S

    def is_over(self) -> bool:
        """Whether nothing is left that a server could still make: all is done, or all that could stay away.

        Once it is, it stays so, or servers would go on alone that need others to end.
        """
        with self._changed:
            self._revive(self._clock())
            self._is_over = self._is_over or (self._in_hand == 0 and self._is_hopeless())
            return self._is_over

    def wait(self, timeout_s: float) -> None:
        """Sleep until something changes."""
        with self._changed:
            self._changed.wait(timeout_s)

    def _free_all(self, server: str) -> None:
        for group, tasks in self._groups.items():
            self._groups[group] = deque(_freed(task, server) for task in tasks)
        self._delayed = [(at, _freed(task, server)) for at, task in self._delayed]

    def _is_hopeless(self) -> bool:
        """Whether no server will take anything of what waits."""
        tasks = [*self._waiting(), *(task for _, task in self._delayed)]
        return all(
            s.is_released if s.is_away else not any(self._allows(s, task) for task in tasks)
            for s in (self._stations.values() if tasks else ())
        )

    def _queue(self, task: Task, *, at_front: bool = False) -> None:
        waiting = self._groups.setdefault(task.group, deque())
        self._served.setdefault(task.group, self._clock())
        if at_front:
            waiting.appendleft(task)
        else:
            waiting.append(task)

    def _revive(self, now: float) -> None:
        if self._delayed and any(at <= now for at, _ in self._delayed):
            for _, task in [pair for pair in self._delayed if pair[0] <= now]:
                self._queue(task)
            self._delayed = [pair for pair in self._delayed if pair[0] > now]

    def _waiting(self) -> Iterator[Task]:
        for tasks in self._groups.values():
            yield from tasks

    def _allows(self, station: Station, task: Task) -> bool:
        """Whether a server may make a picture, and none that it should be left to can."""
        if not may_make(station.name, station.capacity, task.picture, task.terms):
            return False
        if station.name not in task.terms.avoid:
            return True
        return not any(
            s.name not in task.terms.avoid and may_make(s.name, s.capacity, task.picture, task.terms)
            for s in self._present()
        )

    def _present(self) -> Iterator[Station]:
        return (station for station in self._stations.values() if not station.is_away)

    def _change_s(self, station: Station, task: Task) -> float:
        return 0.0 if station.group in (None, task.group) else self._speeds.change_seconds(station.name)

    def _pick(self, station: Station, now: float) -> Task | None:
        """A picture of the models that the server has; of others if those have waited long, or none is left."""
        fitting = {
            group: task
            for group, tasks in self._groups.items()
            if (task := next((t for t in tasks if self._allows(station, t)), None)) is not None
        }
        if not fitting:
            return None
        held = {s.group for s in self._present() if s is not station}
        overdue = [g for g in fitting if g not in held and now - self._served[g] > self._group_wait_s]
        if overdue:
            return fitting[min(overdue, key=lambda g: self._served[g])]
        if station.group in fitting:
            return fitting[station.group]
        return fitting[max(fitting, key=lambda g: self._work_per_server(g, station))]

    def _work_per_server(self, group: Group, but: Station) -> float:
        servers = sum(station.group == group for station in self._present() if station is not but)
        return len(self._groups[group]) / (1 + servers)

    def _is_first_here(self, station: Station, now: float) -> bool:
        """Near the end of a run: whether handing out what waits to whoever finishes it first gives this server any."""
        present = [s for s in self._present() if s is station or s.full_until <= now]
        if len(present) == 1 or sum(map(len, self._groups.values())) > TAIL * self._places:
            return True
        ready = {s.name: s.ready_at(now) for s in present}
        for task in self._waiting():
            able = [s for s in present if self._allows(s, task)]
            if not able:
                continue
            ends = {s.name: ready[s.name] + self._cost(s, task) for s in able}
            first = min(able, key=lambda s: (ends[s.name], s is not station))
            if first is station:
                return True
            ready[first.name] = ends[first.name]
        return False

    def _cost(self, station: Station, task: Task) -> float:
        return self._speeds.seconds(station.name, task.picture, shrink=task.terms.shrink) + self._change_s(
            station, task
        )

    def _recall_for(self, idle: Station, now: float) -> None:
        """Ask for the picture that gains most by moving from another server's queue to one with nothing to do."""
        best: tuple[float, Station, Fingerprint] | None = None
        for other in self._present():
            for position, (task, _) in enumerate(other.sent[1:], start=2):
                if other is idle or task.terms.only or not self._allows(idle, task):
                    continue
                there = other.ready_at(now, position) - now
                gain = there - MOVE_S - self._cost(idle, task)
                if gain > max(WORTH_MOVING_S, there / 10) and (best is None or gain > best[0]):
                    best = gain, other, task.key
        if best is not None:
            best[1].recalled.add(best[2])


def _freed(task: Task, server: str) -> Task:
    return replace(task, terms=replace(task.terms, only="")) if task.terms.only == server else task
