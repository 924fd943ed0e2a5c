"""The values that parameters of runs ask for."""

from __future__ import annotations

from armillary.deployments.variables import VariableSource
from armillary_plugins.variables.repository import read_values

SOURCE = VariableSource(name="variables", read=read_values)
