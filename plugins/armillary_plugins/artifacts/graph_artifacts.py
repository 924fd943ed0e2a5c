"""The artifacts that the graph of a flow run shows."""

from __future__ import annotations

from armillary.clock import from_micros
from armillary.db.unit import Reader
from armillary.flow_runs.graph import GraphArtifact, Placed
from armillary_plugins.artifacts.repository.reading import graph_artifacts, raw


async def artifacts_of_run(reader: Reader, flow_run_id: str, limit: int) -> list[Placed]:
    """List the artifacts of a flow run with the task runs they were made in, oldest first."""
    rows = await graph_artifacts(reader, flow_run_id, limit=limit)
    return [
        Placed(
            row[6],
            GraphArtifact(
                id=row[0],
                created=from_micros(row[1]),
                key=row[2],
                type=row[3],
                is_latest=bool(row[5]),
                data=raw(row[4]),
            ),
        )
        for row in rows
    ]
