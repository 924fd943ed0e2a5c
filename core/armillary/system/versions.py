"""What the server says it is compatible with, and what it is."""

PREFECT_VERSION = "3.8.8"
"""The Prefect release whose API is spoken; clients compare the major number with their own."""
API_VERSION = "0.8.4"
"""The version of that API."""
