"""Variables: set, read and unset by flows and by the command line, and put into parameters."""

import json

from tests.end_to_end.programs import Prefect, printed

VALUE = {"hosts": ["a", "b"], "limit": 2**40, "share": 0.5, "none": None, "on": True}


def test_a_program_sets_reads_and_unsets_variables(prefect: Prefect) -> None:
    said = prefect.run(f"""
        import asyncio
        import json
        from prefect import flow
        from prefect.variables import Variable

        VALUE = {VALUE!r}
        seen = []

        @flow
        def reads():
            return Variable.get("sdk_settings")

        Variable.set("sdk_settings", VALUE, tags=["sdk", "e2e"])
        seen.append(reads())
        try:
            Variable.set("sdk_settings", 1)
        except ValueError as error:
            seen.append(str(error))
        kept = Variable.set("sdk_settings", "new", tags=["later"], overwrite=True)
        seen.append([kept.name, kept.value, kept.tags])
        seen.append([Variable.get("sdk_gone"), Variable.get("sdk_gone", default=7)])
        seen.append([Variable.unset("sdk_settings"), Variable.unset("sdk_settings")])

        async def waits():
            made = await Variable.aset("sdk_async", [1, None, "x"])
            await Variable.aset("sdk_async", None, overwrite=True)
            await Variable.aset("sdk_async", made.value, overwrite=True)
            found = [await Variable.aget("sdk_async"), await Variable.aget("sdk_gone", default=3)]
            return [*found, await Variable.aunset("sdk_async"), await Variable.aunset("sdk_async")]

        seen.append(asyncio.run(waits()))
        print("RESULT " + json.dumps(seen))
    """)
    assert printed(said) == [
        VALUE,
        "Variable 'sdk_settings' already exists. Use `overwrite=True` to update it.",
        ["sdk_settings", "new", ["later"]],
        [None, 7],
        [True, False],
        [[1, None, "x"], 3, True, False],
    ]


def test_the_command_line_keeps_variables_and_runs_get_them(prefect: Prefect) -> None:
    text = json.dumps(VALUE)
    cli = prefect.cli
    assert "Set variable 'cli_settings'" in cli("variable", "set", "cli_settings", text)
    cli("variable", "set", "cli_text", "plain", "--tag", "a", "--tag", "b")
    assert json.loads(cli("variable", "get", "cli_settings")) == VALUE
    assert cli("variable", "get", "cli_text").strip() == '"plain"'
    again = cli("variable", "set", "cli_text", "other", code=1)
    assert "'cli_text' already exists" in again
    cli("variable", "set", "cli_text", "7", "--overwrite")
    shown = json.loads(cli("variable", "inspect", "cli_text", "--output", "json"))
    assert (shown["name"], shown["value"], shown["tags"]) == ("cli_text", 7, [])
    assert "cli_settings" in cli("variable", "inspect", "cli_settings")
    listed = json.loads(cli("variable", "ls", "--output", "json"))
    found = {each["name"]: each["value"] for each in listed}
    assert (found["cli_settings"], found["cli_text"]) == (VALUE, 7)
    table = cli("variable", "ls")
    assert "cli_settings" in table
    assert "List Variables using" in table

    flow = prefect.post("/flows/", {"name": "asks-for-variables"})
    asked = {"__prefect_kind": "workspace_variable", "variable_name": "cli_settings"}
    made = {"name": "asks", "flow_id": flow["id"], "parameters": {"settings": asked}}
    prefect.post("/deployments/", made)
    cli("deployment", "run", "asks-for-variables/asks")
    assert prefect.flow_run("asks-for-variables")["parameters"] == {"settings": VALUE}

    assert "Unset variable 'cli_text'" in cli("variable", "unset", "cli_text")
    cli("variable", "delete", "cli_settings")
    for words in (("get",), ("inspect",), ("unset",)):
        gone = cli("variable", *words, "cli_text", code=1)
        assert "Variable 'cli_text' not found." in gone
    assert "cli_" not in cli("variable", "ls")
