"""Routes about the server itself: health, versions, settings, result storage."""
