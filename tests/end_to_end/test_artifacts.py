"""What flows and tasks show people: made with the SDK, looked at and deleted with its commands."""

import json

from tests.end_to_end.programs import Prefect, eventually


def test_what_a_run_and_its_tasks_show_is_kept_and_stands_in_the_graph(prefect: Prefect) -> None:
    output = prefect.run("""
        import asyncio

        from prefect import flow, task
        from prefect.artifacts import (
            Artifact, acreate_markdown_artifact, create_image_artifact, create_link_artifact,
            create_progress_artifact, create_table_artifact, update_progress_artifact,
        )

        @task
        def load():
            create_table_artifact([{"a": 1, "b": float("nan")}], key="rows", description="loaded")
            bar = create_progress_artifact(0.0, description="begun")
            update_progress_artifact(bar, 62.5)
            update_progress_artifact(bar, 100.0, description="done")

        @flow
        def shown():
            first = create_link_artifact("https://a.example", "A", key="shown-link")
            create_link_artifact("https://b.example", key="shown-link")
            create_image_artifact("https://c.example/c.png", key="picture")
            asyncio.run(acreate_markdown_artifact("# Title", key="text"))
            load()
            found = Artifact.get("shown-link")
            assert found.id != first
            assert Artifact.get("nobody") is None
            old, created = Artifact.get_or_create("shown-link", data="x")
            assert (old.id, created) == (found.id, False)
            new, created = Artifact.get_or_create(
                "fresh", description="d", data={"n": 2**60}, type="json"
            )
            assert created
            print("found", found.data, "made", new.data)

        shown()
    """)
    assert "found [https://b.example](https://b.example) made" in output
    run = prefect.flow_run("shown")
    (task,) = prefect.task_runs(run)
    by_run = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    made = prefect.post("/artifacts/filter", {**by_run, "sort": "CREATED_DESC"})[::-1]
    assert [(each["key"], each["type"], each["data"]) for each in made] == [
        ("shown-link", "markdown", "[A](https://a.example)"),
        ("shown-link", "markdown", "[https://b.example](https://b.example)"),
        ("picture", "image", "https://c.example/c.png"),
        ("text", "markdown", "# Title"),
        ("rows", "table", '[{"a": 1, "b": null}]'),
        (None, "progress", 100.0),
        ("fresh", "json", json.dumps({"n": 2**60})),
    ]
    assert [each["description"] for each in made[4:]] == ["loaded", "done", "d"]
    graph = prefect.get(f"/flow_runs/{run['id']}/graph-v2")
    assert [(each["key"], each["is_latest"]) for each in graph["artifacts"]] == [
        ("shown-link", False), ("shown-link", True), ("picture", True), ("text", True),
        ("fresh", True),
    ]  # fmt: skip
    ((node_id, node),) = graph["nodes"]
    assert node_id == task["id"]
    assert [(each["type"], each["data"]) for each in node["artifacts"]] == [
        ("table", None), ("progress", 100.0),
    ]  # fmt: skip
    told = {"event": {"prefix": ["prefect.artifact"]}, "occurred": {"since": run["created"]}}
    wanted = {
        "prefect.artifact.created", "prefect.artifact.updated",
        "prefect.artifact-collection.created", "prefect.artifact-collection.updated",
    }  # fmt: skip

    def names() -> set[str]:
        events = prefect.post("/events/filter", {"filter": told})["events"]
        return {each["event"] for each in events}

    eventually(lambda: names() == wanted, "the events of artifacts")


def test_the_commands_list_inspect_and_delete_artifacts(prefect: Prefect) -> None:
    made = [
        prefect.post("/artifacts/", {"key": key, "type": "markdown", "data": text})
        for key, text in (("weekly", "one"), ("weekly", "two"), ("daily", "three"))
    ]
    first, second, third = (each["id"] for each in made)
    listed = prefect.cli("artifact", "ls")
    assert second in listed
    assert third in listed
    assert first not in listed
    assert "weekly" in listed
    assert "markdown" in listed
    every = {"artifacts": {"key": {"exists_": False}}}
    for each in prefect.post("/artifacts/filter", every):  # the command cannot sort them
        prefect.api.delete(f"/artifacts/{each['id']}")
    assert first in prefect.cli("artifact", "ls", "--all")
    (latest,) = [
        each
        for each in json.loads(prefect.cli("artifact", "ls", "--output", "json"))
        if each["key"] == "weekly"
    ]
    assert (latest["latest_id"], latest["data"]) == (second, "two")
    shown = json.loads(prefect.cli("artifact", "inspect", "weekly", "--output", "json"))
    assert [(each["id"], each["data"]) for each in shown] == [(second, "two"), (first, "one")]
    assert "'three'" in prefect.cli("artifact", "inspect", "daily")
    assert f"artifact with id {second!r}" in prefect.cli("artifact", "delete", "--id", second)
    assert first in prefect.cli("artifact", "ls")
    assert prefect.get("/artifacts/weekly/latest")["data"] == "one"
    prefect.post("/artifacts/", {"key": "weekly", "type": "markdown", "data": "three"})
    assert "Deleted 2 artifact(s)" in prefect.cli("artifact", "delete", "weekly")
    assert "not found" in prefect.cli("artifact", "inspect", "weekly", code=1)
    assert "not found" in prefect.cli("artifact", "delete", "weekly", code=1)
    assert "not found" in prefect.cli("artifact", "delete", "--id", second, code=1)
    assert "weekly" not in prefect.cli("artifact", "ls")
