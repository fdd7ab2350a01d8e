"""What POST /prompt accepts and refuses, and how."""

import copy
import json
import uuid
from typing import Any

import pytest

from tests.conformance.client import DEADLINE_S, GRAPH, PLAIN_500, Server, error_of, fresh

NO_UUID = ["sku-1", "A5D198E8-8A76-4B33-A173-0A46BFFDD0E3"]
BAD_VALUES: list[tuple[dict[str, Any], str, str, str]] = [
    ({"n28_unet_name": "missing.safetensors"}, "28", "value_not_in_list", "Value not in list"),
    ({"n3_sampler_name": "nope"}, "3", "value_not_in_list", "Value not in list"),
    ({"n3_seed": -1}, "3", "value_smaller_than_min", "Value -1 smaller than min of 0"),
    (
        {"n3_seed": 2**64},
        "3",
        "value_bigger_than_max",
        "Value 18446744073709551616 bigger than max of 18446744073709551615",
    ),
    ({"n3_steps": 0}, "3", "value_smaller_than_min", "Value 0 smaller than min of 1"),
    ({"n13_width": 20000}, "13", "value_bigger_than_max", "Value 20000 bigger than max of 16384"),
    ({"n3_seed": "abc"}, "3", "invalid_input_type", "Failed to convert an input value to a INT value"),
]


def without(node: str, name: str) -> dict[str, Any]:
    """Take an input out of a fresh graph."""
    wanted = fresh()
    del wanted[node]["inputs"][name]
    return wanted


class Submitting:
    """Checks for a class derived from this that provides `server`."""

    def test_a_prompt_is_accepted_and_numbered(self, server: Server) -> None:
        """The reply has id, number and no errors; rejected prompts use up numbers too."""
        first = server.client.post("/prompt", {"prompt": fresh()}).json()
        assert set(first) == {"prompt_id", "number", "node_errors"}
        assert str(uuid.UUID(first["prompt_id"])) == first["prompt_id"]
        assert server.client.post("/prompt", {"prompt": fresh(n3_steps=0)}).status_code == 400
        prompt_id = str(uuid.uuid4())
        second = server.client.post("/prompt", {"prompt": fresh(), "prompt_id": prompt_id}).json()
        assert second == {"prompt_id": prompt_id, "number": first["number"] + 2, "node_errors": {}}
        server.client.done(prompt_id)

    @pytest.mark.parametrize("prompt_id", NO_UUID)
    def test_other_ids_than_uuids(self, server: Server, prompt_id: str) -> None:
        """Any text until 0.25, from then on canonical UUIDs only."""
        answer = server.client.post("/prompt", {"prompt": fresh(), "prompt_id": prompt_id})
        if server.since(0, 25):
            assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_prompt_id")
            assert answer.json()["node_errors"] == {}
        else:
            assert (answer.status_code, answer.json()["prompt_id"]) == (200, prompt_id)
            server.client.done(prompt_id)

    @pytest.mark.parametrize(("changes", "node", "kind", "message"), BAD_VALUES)
    def test_a_bad_value_is_refused(
        self, server: Server, changes: dict[str, Any], node: str, kind: str, message: str
    ) -> None:
        """By the node's own error; the one of the whole prompt says nothing."""
        answer = server.client.post("/prompt", {"prompt": fresh(**changes)})
        body = answer.json()
        assert answer.status_code == 400
        assert body["error"] == {
            "type": "prompt_outputs_failed_validation",
            "message": "Prompt outputs failed validation",
            "details": "",
            "extra_info": {},
        }
        [(found, blamed)] = body["node_errors"].items()
        [error] = blamed["errors"]
        assert (found, blamed["class_type"], blamed["dependent_outputs"]) == (
            node,
            GRAPH[node]["class_type"],
            ["9"],
        )
        assert (error["type"], error["message"]) == (kind, message)
        [value] = changes.values()
        assert error["extra_info"]["received_value"] == value
        assert set(error["extra_info"]) - {"exception_message"} == {
            "input_name",
            "input_config",
            "received_value",
        }

    def test_choices_are_told_up_to_twenty(self, server: Server) -> None:
        """Longer lists are counted only."""
        for changes, node, is_told in (
            ({"n28_unet_name": "missing.safetensors"}, "28", True),
            ({"n3_sampler_name": "nope"}, "3", False),
        ):
            body = server.client.post("/prompt", {"prompt": fresh(**changes)}).json()
            [error] = body["node_errors"][node]["errors"]
            assert ("(list of length " not in error["details"]) is is_told
            assert (error["extra_info"]["input_config"] is not None) is is_told

    @pytest.mark.parametrize("name", ["seed", "model"])
    def test_a_missing_input_is_refused(self, server: Server, name: str) -> None:
        """A value as well as a link."""
        body = server.client.post("/prompt", {"prompt": without("3", name)}).json()
        assert body["node_errors"]["3"]["errors"] == [
            {
                "type": "required_input_missing",
                "message": "Required input is missing",
                "details": name,
                "extra_info": {"input_name": name},
            }
        ]

    def test_links_are_checked(self, server: Server) -> None:
        """The type, the node and the number of the output."""
        for link, details, kind in (
            (["29", 0], "images, received_type(VAE) mismatch input_type(IMAGE)", "return_type_mismatch"),
            (["8888", 0], "'8888'", "exception_during_validation"),
            (["8", 7], "tuple index out of range", "exception_during_validation"),
        ):
            body = server.client.post("/prompt", {"prompt": fresh(n9_images=link)}).json()
            [error] = body["node_errors"]["9"]["errors"]
            assert (error["type"], error["details"]) == (kind, details)
            assert body["error"]["details"] == f"{error['message']}: {details}"
        deep = server.client.post("/prompt", {"prompt": fresh(n3_model=["8888", 0])}).json()
        assert deep["node_errors"]["3"]["errors"][0]["type"] == "exception_during_inner_validation"

    def test_a_cycle(self, server: Server) -> None:
        """Refused always, but told only since 0.20."""
        body = server.client.post("/prompt", {"prompt": fresh(n11_model=["11", 0])}).json()
        assert body["error"]["type"] == "prompt_outputs_failed_validation"
        if server.since(0, 20):
            [error] = body["node_errors"]["11"]["errors"]
            assert (error["type"], error["extra_info"]["cycle_nodes"]) == ("dependency_cycle", ["11"])
        else:
            assert body["node_errors"] == {}

    def test_a_class_that_is_not_there(self, server: Server) -> None:
        """Refuses the prompt even unconnected; its name is in extra_info only since 0.12."""
        strange = fresh() | {"99": {"class_type": "NoSuchNode", "inputs": {}, "_meta": {"title": "Mine"}}}
        nameless = fresh() | {"99": {"inputs": {}}}
        answers = [server.client.post("/prompt", {"prompt": wanted}) for wanted in (strange, nameless)]
        assert [answer.status_code for answer in answers] == [400, 400]
        errors = [answer.json()["error"] for answer in answers]
        assert [error["details"] for error in errors] == ["Node ID '#99'"] * 2
        if server.since(0, 12):
            assert [error["type"] for error in errors] == ["missing_node_type"] * 2
            assert errors[0]["extra_info"] == {
                "node_id": "99",
                "class_type": "NoSuchNode",
                "node_title": "Mine",
            }
        else:
            assert [error["type"] for error in errors] == ["invalid_prompt"] * 2
            assert [error["message"] for error in errors] == [
                "Cannot execute because node NoSuchNode does not exist.",
                "Cannot execute because a node is missing the class_type property.",
            ]

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ({}, "no_prompt"),
            ([], "no_prompt"),
            ({"prompt": {}}, "prompt_no_outputs"),
            ({"prompt": {"29": GRAPH["29"]}}, "prompt_no_outputs"),
        ],
    )
    def test_a_body_without_a_prompt(self, server: Server, body: Any, kind: str) -> None:
        """Each is a 400 with its type."""
        answer = server.client.post("/prompt", body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, kind)
        assert answer.json()["node_errors"] == {}

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"not json",
            b'{"prompt": null}',
            json.dumps({"prompt": GRAPH, "number": "x"}).encode(),
            json.dumps({"prompt": GRAPH, "extra_data": None}).encode(),
        ],
        ids=["empty", "text", "null", "number", "extra_data"],
    )
    def test_nonsense_is_a_plain_500(self, server: Server, data: bytes) -> None:
        """As text, and nothing is queued."""
        answer = server.client.session.post(f"{server.client.url}/prompt", data=data, timeout=DEADLINE_S)
        assert (answer.status_code, answer.text) == (500, PLAIN_500)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"

    def test_the_editors_format(self, server: Server) -> None:
        """Not to be posted; the answer depends on the version."""
        edited = {"last_node_id": 9, "nodes": [], "links": [], "version": 0.4}
        answer = server.client.post("/prompt", {"prompt": {"id": "w", **edited}})
        assert answer.status_code in {400, 500}
        assert (answer.status_code == 500) is (server.since(0, 12) or answer.text == PLAIN_500)

    def test_one_good_output_of_two(self, server: Server) -> None:
        """Is run, and the bad one told in the 200."""
        wanted = fresh()
        wanted["10"] = {"class_type": "SaveImage", "inputs": {"images": ["8888", 0], "filename_prefix": "x"}}
        answer = server.client.post("/prompt", {"prompt": wanted})
        assert answer.status_code == 200
        [(node, blamed)] = answer.json()["node_errors"].items()
        assert (node, blamed["dependent_outputs"]) == ("10", ["10"])
        entry = server.client.done(answer.json()["prompt_id"])
        assert (list(entry["outputs"]), entry["prompt"][4]) == (["9"], ["9"])

    def test_texts_become_numbers(self, server: Server) -> None:
        """And are stored so; unknown inputs stay; the greatest seed survives."""
        entry = server.client.run(fresh(n3_seed="123", n3_junk=5))
        assert entry["prompt"][2]["3"]["inputs"]["seed"] == 123
        assert entry["prompt"][2]["3"]["inputs"]["junk"] == 5
        entry = server.client.run(fresh(n3_seed=2**64 - 1))
        assert entry["prompt"][2]["3"]["inputs"]["seed"] == 2**64 - 1

    def test_a_link_as_text_fails_when_it_runs(self, server: Server) -> None:
        """It passes validation."""
        error = error_of(server.client.run(fresh(n9_images="8")))
        assert (error["node_id"], error["exception_type"]) == ("9", "AttributeError")
        assert error["exception_message"] == "'str' object has no attribute 'shape'\n"

    def test_only_chosen_outputs_run(self, server: Server) -> None:
        """partial_execution_targets names them."""
        wanted = fresh()
        wanted["10"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
        entry = server.client.run(wanted, partial_execution_targets=["10"])
        [image] = entry["outputs"].pop("10")["images"]
        assert (entry["outputs"], image["type"], image["subfolder"]) == ({}, "temp", "")

    def test_extra_data_is_kept_but_for_keys(self, server: Server) -> None:
        """History shows what came along, and when."""
        extra = {"extra_pnginfo": {"job": {"sku": "A"}}, "auth_token_comfy_org": "secret", "mine": 1}
        entry = server.client.run(fresh(), client_id="somebody", extra_data=copy.deepcopy(extra))
        kept = entry["prompt"][3]
        assert set(kept) == {"extra_pnginfo", "mine", "client_id", "create_time"}
        assert kept["client_id"] == "somebody"

    def test_other_sites_are_refused(self, server: Server) -> None:
        """By Origin always, by Sec-Fetch-Site since 0.19; neither path nor slash is guessed."""
        url = server.client.url
        for headers, status in (
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": url.replace("127.0.0.1", "localhost")}, 403),
            ({"Origin": url}, 200),
            ({"Sec-Fetch-Site": "cross-site"}, 403 if server.since(0, 19) else 200),
            ({"Authorization": "Bearer x"}, 200),
        ):
            answer = server.client.session.get(f"{url}/prompt", headers=headers, timeout=DEADLINE_S)
            assert answer.status_code == status, headers
            if status == 403:
                assert answer.content == b""
        assert [server.client.get(path).status_code for path in ("/prompt/", "/nothing", "/health")] == [
            404
        ] * 3
        assert server.client.get("/api/prompt").json() == server.client.get("/prompt").json()
