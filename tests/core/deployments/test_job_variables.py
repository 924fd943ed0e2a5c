"""Job templates of pools, and the variables that deployments and runs give them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from armillary.deployments.job_variables import (
    BlockMissing,
    JobVariableError,
    check_job_template,
    check_job_variables,
    referenced_blocks,
    variables_of,
)
from armillary.errors import Invalid

BLOCK = "0b1e1ed6-1c7f-4a38-8d43-37a4e1cd0000"


def raws(values: dict[str, Any]) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}


def template(variables: object, configuration: object = None) -> dict[str, msgspec.Raw]:
    return raws({"job_configuration": configuration or {}, "variables": variables})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"variables": {}}, "'job_configuration' and 'variables'"),
        ({"job_configuration": {}}, "'job_configuration' and 'variables'"),
        ({"job_configuration": [], "variables": {}}, "objects"),
        (
            {"job_configuration": {"a": "{{ b }}", "c": ["{{ d }}"]}, "variables": {}},
            "uses b, d; declare",
        ),
        (
            {
                "job_configuration": {"a": "{{ prefect.blocks.x.y }}"},
                "variables": {"properties": {"prefect": {}}},
            },
            "uses prefect.blocks.x.y;",
        ),
        (
            {
                "job_configuration": {},
                "variables": {"properties": {"a": {"type": "integer", "default": "x"}}},
            },
            "defaults: Validation failed for field 'a'",
        ),
        ({"job_configuration": {}, "variables": {"type": "text"}}, "Invalid schema"),
    ],
)
def test_an_unsound_template_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        check_job_template(raws(given), defaults=True)
    assert caught.value.problems[0]["loc"] == ["body", "base_job_template"]


def test_an_empty_and_a_complete_template_pass() -> None:
    check_job_template({}, defaults=True)
    properties = {
        "command": {"type": "string", "default": None},
        "env": {"type": "object", "default": {"A": "1"}},
        "must": {"type": "integer"},
    }
    variables = {"type": "object", "properties": properties, "required": ["must"]}
    configuration = {"{{ command }}": ["run {{ must }}", {"env": "{{env}}"}]}
    check_job_template(template(variables, configuration), defaults=True)


def test_defaults_are_only_checked_when_asked() -> None:
    bad = {"properties": {"a": {"type": "integer", "default": "x"}}}
    check_job_template(template(bad), defaults=False)


VARIABLES = json.dumps(
    {
        "type": "object",
        "properties": {
            "image": {"type": "string"},
            "cpu": {"type": "integer", "default": 1},
        },
        "required": ["image"],
    }
).encode()


def test_layers_complete_each_other_and_the_last_one_wins() -> None:
    check_job_variables(VARIABLES, raws({"image": 3}), raws({"image": "x"}), require=True)
    check_job_variables(VARIABLES, raws({"cpu": None, "image": "x"}), None, require=True)


def test_required_variables_count_only_when_a_run_starts() -> None:
    check_job_variables(VARIABLES, raws({"cpu": 2}))
    with pytest.raises(JobVariableError, match="'image' is a required property"):
        check_job_variables(VARIABLES, raws({"cpu": 2}), require=True)


def test_a_wrong_value_is_named() -> None:
    with pytest.raises(JobVariableError, match=r"for field 'cpu'\. Failure reason: 'x'"):
        check_job_variables(VARIABLES, raws({"cpu": "x"}))


def test_a_default_that_does_not_fit_is_left_out_and_then_nothing_is_required() -> None:
    variables = json.dumps(
        {
            "properties": {
                "cpu": {"type": "integer", "default": "many"},
                "image": {"type": "string"},
            },
            "required": ["image"],
        }
    ).encode()
    check_job_variables(variables, raws({"cpu": 2}), require=True)
    with pytest.raises(JobVariableError, match="'many' is not of type"):
        check_job_variables(variables, strict_defaults=True)


def test_a_pool_without_variables_takes_anything() -> None:
    check_job_variables(None, raws({"a": 1}), require=True)
    check_job_variables(b"{}", raws({"a": 1}), require=True)
    assert variables_of(b"{}") is None
    assert variables_of(b'{"variables": {"a": 12345678901234567890123}}') == (
        b'{"a": 12345678901234567890123}'
    )


WITH_BLOCK = json.dumps(
    {
        "properties": {
            "login": {
                "type": "object",
                "required": ["key"],
                "default": {"$ref": {"block_document_id": BLOCK.upper()}},
            }
        },
        "required": ["login"],
    }
).encode()


def test_a_default_in_a_block_is_taken_from_the_block() -> None:
    assert referenced_blocks(WITH_BLOCK) == {BLOCK}
    assert referenced_blocks(VARIABLES) == set()
    blocks = {BLOCK: msgspec.Raw(b'{"key": 1}')}
    check_job_variables(WITH_BLOCK, require=True, blocks=blocks)
    with pytest.raises(JobVariableError, match="for field 'login'"):
        check_job_variables(WITH_BLOCK, strict_defaults=True, blocks={BLOCK: msgspec.Raw(b"3")})


def test_a_default_in_a_block_that_is_gone_is_missing() -> None:
    with pytest.raises(BlockMissing, match=r"Block not found\."):
        check_job_variables(WITH_BLOCK, blocks={})
