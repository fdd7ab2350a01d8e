"""The jobs that stand on servers: how they fare, and taking them back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.domain.job import AttemptRecord, Whereabouts
from catalog_imagegen.pipeline.ports import Ledger, RenderBackend

At = Callable[[str], RenderBackend]
"""The server of a URL."""
State = Whereabouts | Literal["away"]
Cancelled = Literal["cancelled", "ended", "away"]


@dataclass(frozen=True, slots=True)
class Job:
    """One submission whose end the ledger does not know."""

    attempt: AttemptRecord
    state: State
    """How its server says it stands; ``away`` when that does not answer."""


def standing(ledger: Ledger, at: At) -> list[Job]:
    """All jobs that were sent and not brought home, in the order in which they were sent."""
    attempts = ledger.standing()
    states: dict[str, State] = {}
    for server in dict.fromkeys(attempt.server for attempt in attempts):
        ids = [attempt.prompt_id for attempt in attempts if attempt.server == server]
        try:
            states.update(at(server).whereabouts(ids))
        except BackendUnavailable:
            states.update(dict.fromkeys(ids, "away"))
    return [Job(attempt, states[attempt.prompt_id]) for attempt in attempts]


def pick(jobs: Sequence[Job], names: Collection[str]) -> list[Job]:
    """The jobs whose ids begin with one of *names*. Raises ConfigError for a name that fits none, or several."""
    found = []
    for name in names:
        fitting = [job for job in jobs if job.attempt.prompt_id.startswith(name)]
        if len(fitting) != 1:
            raise ConfigError(
                f"{len(fitting)} jobs have an id that begins with {name!r}; see: catalog-imagegen jobs",
                zh=f"有 {len(fitting)} 个任务的编号以 {name} 开头；请运行 catalog-imagegen jobs 查看",
                code="no_such_job",
            )
        found += fitting
    return found


def cancel(jobs: Iterable[Job], ledger: Ledger, at: At) -> list[tuple[Job, Cancelled]]:
    """Take jobs back by their ids; nobody else's are touched. Pictures stay planned.

    What has ended is left for the next run to fetch. The ledger is told first, so that a run that waits for the job
    does not send it again.
    """
    return [(job, _cancel(job, ledger, at)) for job in jobs]


def _cancel(job: Job, ledger: Ledger, at: At) -> Cancelled:
    prompt_id = job.attempt.prompt_id
    if job.state in ("ended", "away"):
        return "ended" if job.state == "ended" else "away"
    if not ledger.cancel_attempt(prompt_id, "jobs cancel"):
        return "ended"
    try:
        taken = at(job.attempt.server).withdraw([prompt_id], running_too=True)
    except BackendUnavailable:
        ledger.reopen_attempt(prompt_id)
        return "away"
    if prompt_id in taken:
        return "cancelled"
    ledger.reopen_attempt(prompt_id)
    return "ended"
