"""Keeps named values that flows and deployments share.

A variable is a name, lower-case letters, digits, dashes and underscores, with any JSON value and
tags. Flows read and set them; where a parameter says `{"__prefect_kind": "workspace_variable",
"variable_name": "x"}`, the run gets the value `x` has when it is made.
"""

from armillary import Manifest

MANIFEST = Manifest(summary="Keeps named values that flows and deployments share.")
