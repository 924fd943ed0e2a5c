"""Every query on block types, schemas and documents."""
