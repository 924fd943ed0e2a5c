"""Makes and changes the deployments of plain commands."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from armillary_plugins.agent.jobs_file import Spec, deployment_of, differences
from armillary_plugins.agent.pool import LOCAL, local_pool
from armillary_plugins.agent.services.link import Link, Turned

Json = Any


async def compared(link: Link, name: str, spec: Spec) -> tuple[bool, list[str]]:
    """Tell whether a deployment is there, and in lines what deploying would change."""
    path = f"/deployments/name/{quote(name, safe='')}/{quote(name, safe='')}"
    try:
        there = await link.ask("GET", path)
    except Turned as error:
        if error.status != 404:
            raise
        there = None
    return there is not None, differences(deployment_of(name, spec), there)


async def deploy(link: Link, name: str, spec: Spec) -> str:
    """Make or change a deployment and the flow it is of, which has its name; return its id."""
    if spec.pool == LOCAL:
        await ensure_local_pool(link)
    flow = await link.ask("POST", "/flows/", {"name": name})
    body = {**deployment_of(name, spec), "flow_id": flow["id"]}
    made = await link.ask("POST", "/deployments/", body)
    return str(made["id"])


async def ensure_local_pool(link: Link) -> None:
    """Make the pool `local` where it is not there."""
    try:
        await link.ask("GET", f"/work_pools/{LOCAL}")
    except Turned as error:
        if error.status != 404:
            raise
        try:
            await link.ask("POST", "/work_pools/", local_pool())
        except Turned as second:
            if second.status != 409:
                raise
