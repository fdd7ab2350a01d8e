"""Queue, history, interrupts, jobs and the cache."""

import uuid
from typing import Any

from tests.conformance.client import Server, error_of, fresh, wait_for

SLOW = {"n27_text": "[[slow:30]]", "n3_steps": 1000}


def blocked(server: Server) -> str:
    """Have the server busy until it is interrupted; give the prompt's id."""
    prompt_id = server.client.submit(fresh(**SLOW))
    wait_for(lambda: server.client.running(prompt_id))
    return prompt_id


def unblocked(server: Server, prompt_id: str) -> dict[str, Any]:
    """Stop a prompt; again and again, for ComfyUI forgets an interrupt that comes just as it starts."""

    def stopped() -> Any:
        server.client.post("/interrupt", {"prompt_id": prompt_id})
        return server.client.get(f"/history/{prompt_id}").json().get(prompt_id)

    entry = wait_for(stopped)
    assert isinstance(entry, dict)
    return entry


def events(entry: dict[str, Any]) -> list[str]:
    """Name the messages of a history entry."""
    return [event for event, _ in entry["status"]["messages"]]


def cached(entry: dict[str, Any]) -> set[str]:
    """Give the nodes that were not run."""
    return set(dict(entry["status"]["messages"])["execution_cached"]["nodes"])


class Waiting:
    """Checks for a class derived from this that provides `server`."""

    def test_the_queue_is_listed(self, server: Server) -> None:
        """Running and pending items have five parts; what runs is in no history."""
        slow = blocked(server)
        later, urgent = server.client.submit(fresh()), server.client.submit(fresh(), front=True)
        queue = server.client.get("/queue").json()
        assert set(queue) == {"queue_running", "queue_pending"}
        [running], pending = queue["queue_running"], sorted(queue["queue_pending"])
        assert [len(item) for item in (running, *pending)] == [5, 5, 5]
        assert [item[1] for item in (running, *pending)] == [slow, urgent, later]
        assert pending[0][0] < 0 < pending[1][0]
        assert running[4] == ["9"]
        assert server.client.get("/prompt").json() == {"exec_info": {"queue_remaining": 3}}
        assert server.client.get(f"/history/{slow}").json() == {}
        unblocked(server, slow)
        server.client.done(later)
        done = list(server.client.get("/history").json())[-3:]
        assert done == [slow, urgent, later]

    def test_pending_prompts_can_be_deleted(self, server: Server) -> None:
        """The first of an id only, never the running one; unknown ids are no error; no trace is left."""
        slow, twice = blocked(server), str(uuid.uuid4())
        for _ in range(2):
            server.client.submit(fresh(), prompt_id=twice)
        gone = server.client.submit(fresh())
        answer = server.client.post("/queue", {"delete": [twice, gone, slow, "unknown"]})
        assert (answer.status_code, answer.content) == (200, b"")
        queue = server.client.get("/queue").json()
        assert [item[1] for item in queue["queue_pending"]] == [twice]
        assert [item[1] for item in queue["queue_running"]] == [slow]
        assert server.client.post("/queue", {"clear": True}).content == b""
        assert server.client.get("/queue").json()["queue_pending"] == []
        unblocked(server, slow)
        assert server.client.get(f"/history/{gone}").json() == {}
        assert server.client.session.post(f"{server.client.url}/queue", timeout=5).status_code == 500

    def test_interrupts(self, server: Server) -> None:
        """By another id nothing happens, idle ones do not stick, and the history tells where it was stopped."""
        assert server.client.post("/interrupt").status_code == 200
        slow = blocked(server)
        answer = server.client.post("/interrupt", {"prompt_id": str(uuid.uuid4())})
        assert (answer.status_code, answer.content) == (200, b"")
        assert server.client.running(slow)
        entry = unblocked(server, slow)
        assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("error", False)
        assert events(entry) == ["execution_start", "execution_cached", "execution_interrupted"]
        assert set(entry["status"]["messages"][-1][1]) == {
            "prompt_id",
            "node_id",
            "node_type",
            "executed",
            "timestamp",
        }
        assert (entry["outputs"], entry["meta"]) == ({}, {})
        slow = blocked(server)

        def stopped() -> Any:
            server.client.post("/interrupt")
            return server.client.get(f"/history/{slow}").json()

        assert wait_for(stopped)[slow]["status"]["messages"][-1][0] == "execution_interrupted"

    def test_an_id_used_again(self, server: Server) -> None:
        """Runs again, while it is queued and when it is done; the history keeps the last run."""
        prompt_id = str(uuid.uuid4())
        first = server.client.run(fresh(), prompt_id=prompt_id)
        before = len(server.client.get("/history").json())
        server.client.submit(fresh(), prompt_id=prompt_id)
        again = wait_for(
            lambda: [
                entry
                for entry in [server.client.get(f"/history/{prompt_id}").json()[prompt_id]]
                if entry["prompt"][0] != first["prompt"][0]
            ]
        )
        assert again[0]["outputs"] != first["outputs"]
        assert len(server.client.get("/history").json()) == before

    def test_the_history_is_cut_as_asked(self, server: Server) -> None:
        """Oldest first; max_items gives the newest, an offset counts from the oldest."""
        ids = [server.client.submit(fresh()) for _ in range(3)]
        for prompt_id in ids:
            server.client.done(prompt_id)
        get = server.client.get
        everything = list(get("/history").json())
        assert everything[-3:] == ids
        assert list(get("/history", max_items=2).json()) == ids[1:]
        assert list(get("/history", max_items=2, offset=0).json()) == everything[:2]
        assert list(get("/history", offset=len(everything) - 1).json()) == ids[2:]
        assert get("/history", max_items="x").status_code == 500
        answer = server.client.post("/history", {"delete": [ids[0], "unknown"]})
        assert (answer.status_code, answer.content) == (200, b"")
        assert list(get("/history").json())[-2:] == ids[1:]
        server.client.post("/history", {"clear": True})
        assert get("/history").json() == {}

    def test_a_success_in_the_history(self, server: Server) -> None:
        """Item, outputs, status and meta, with a time on each message."""
        wanted = fresh()
        entry = server.client.run(wanted)
        assert set(entry) == {"prompt", "outputs", "status", "meta"}
        folder = wanted["9"]["inputs"]["filename_prefix"].split("/")[0]
        file = {"filename": "cup_00001_.png", "subfolder": folder, "type": "output"}
        assert entry["outputs"] == {"9": {"images": [file]}}
        assert (entry["status"]["status_str"], entry["status"]["completed"]) == ("success", True)
        assert events(entry) == ["execution_start", "execution_cached", "execution_success"]
        assert all(isinstance(data["timestamp"], int) for _, data in entry["status"]["messages"])
        assert entry["meta"] == {
            "9": {"node_id": "9", "display_node": "9", "parent_node": None, "real_node_id": "9"}
        }

    def test_a_failure_in_the_history(self, server: Server) -> None:
        """What failed where, with inputs; out of memory has its own type."""
        for text, kind in (("[[error]]", "RuntimeError"), ("[[oom]]", "torch.OutOfMemoryError")):
            entry = server.client.run(fresh(n27_text=f"{text} {uuid.uuid4()}"))
            error = error_of(entry)
            assert events(entry) == ["execution_start", "execution_cached", "execution_error"]
            assert (error["node_id"], error["node_type"], error["exception_type"]) == ("3", "KSampler", kind)
            assert set(error) == {
                "prompt_id",
                "node_id",
                "node_type",
                "executed",
                "exception_message",
                "exception_type",
                "traceback",
                "current_inputs",
                "current_outputs",
                "timestamp",
            }
            assert error["current_inputs"]["steps"] == [8]
            assert "27" in error["executed"]
            assert isinstance(error["traceback"], list)
            assert entry["outputs"] == {}

    def test_a_failure_after_a_saved_picture(self, server: Server) -> None:
        """An error can come with outputs; of what can run, outputs run first."""
        wanted = fresh()
        wanted["12"] = {"class_type": "ImageInvert", "inputs": {"image": ["8", 0]}}
        wanted["10"] = {
            "class_type": "SaveImage",
            "inputs": {"images": ["12", 0], "filename_prefix": "../outside"},
        }
        entry = server.client.run(wanted)
        assert entry["status"]["status_str"] == "error"
        assert list(entry["outputs"]) == ["9"]

    def test_an_identical_prompt_runs_nothing(self, server: Server) -> None:
        """It names the same file; but to nobody in older versions, if nobody is named (PR 14939)."""
        wanted = fresh()
        first, again = (server.client.run(wanted, client_id="somebody") for _ in range(2))
        assert again["outputs"] == first["outputs"]
        assert cached(again) == set(wanted)
        unnamed = server.client.run(wanted)
        assert unnamed["outputs"] == (first["outputs"] if server.since(0, 33) else {})
        assert unnamed["status"]["completed"]

    def test_only_what_changed_runs_again(self, server: Server) -> None:
        """Another prefix saves again; another seed spares the loaders; only the last prompt is remembered."""
        one, other = fresh(), fresh()
        server.client.run(one)
        renamed = server.client.run(one | {"9": other["9"]})
        assert cached(renamed) == set(one) - {"9"}
        assert cached(server.client.run(other)) == set(one) - {"3", "8", "9"}
        assert cached(server.client.run(one)) == set(one) - {"3", "8", "9"}

    def test_free_forgets_what_was_cached(self, server: Server) -> None:
        """But only if memory is to be freed; without a body it is a 500."""
        wanted = fresh()
        server.client.run(wanted)
        answer = server.client.post("/free", {"unload_models": True, "free_memory": True})
        assert (answer.status_code, answer.content) == (200, b"")
        # It is carried out after the next prompt at the latest.
        server.client.run(fresh(n27_text=str(uuid.uuid4())))
        assert "3" not in cached(server.client.run(wanted))
        assert server.client.session.post(f"{server.client.url}/free", timeout=5).status_code == 500

    def test_jobs(self, server: Server) -> None:
        """Since 0.6 queue and history have a second view, and 0.26 can cancel there; before, it is a 404."""
        client = server.client
        tag = {"extra_pnginfo": {"workflow": {"id": str(uuid.uuid4())}}}
        good = client.submit(fresh(), extra_data=tag)
        client.done(good)
        if not server.since(0, 6):
            for path in ("/api/jobs", f"/api/jobs/{good}", "/jobs"):
                assert client.get(path).status_code == 404
            for path in (f"/api/jobs/{good}/cancel", "/api/jobs/cancel"):
                assert client.post(path, {"job_ids": [good]}).status_code in {404, 405}
            return
        assert client.get(f"/api/jobs/{good}").json()["status"] == "completed"
        tagged = client.get("/api/jobs", workflow_id=tag["extra_pnginfo"]["workflow"]["id"]).json()
        assert ([job["id"] for job in tagged["jobs"]], tagged["pagination"]["total"]) == ([good], 1)
        unknown = client.get(f"/api/jobs/{uuid.uuid4()}")
        assert (unknown.status_code, unknown.json()) == (404, {"error": "Job not found"})
        assert client.get("/jobs").status_code == 404
        if server.since(0, 26):
            slow, later = blocked(server), client.submit(fresh())
            bad = client.post("/api/jobs/cancel", {"job_ids": ["sku1"]})
            assert (bad.status_code, bad.json()["invalid_ids"]) == (400, ["sku1"])
            assert client.post("/api/jobs/cancel", {"job_ids": [later]}).json() == {"cancelled": True}
            assert client.get(f"/api/jobs/{later}").status_code == 404
            assert client.post(f"/api/jobs/{slow}/cancel").json() == {"cancelled": True}
            client.done(slow)
            assert client.get(f"/api/jobs/{slow}").json()["status"] == "cancelled"
            assert client.post(f"/api/jobs/{slow}/cancel").json() == {"cancelled": False}
