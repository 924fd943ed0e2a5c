"""Creates the tables of block types, their schemas and documents.

What a document holds is encrypted as a whole.  What schemas and documents refer to is kept as
rows of its own, so that it can be followed without decrypting anything.
"""

STATEMENTS = (
    """create table block_type (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name text not null,
        slug {key} not null,
        logo_url text,
        documentation_url text,
        description text,
        code_example text,
        is_protected smallint not null
    )""",
    "create unique index block_type_slug on block_type (workspace, slug)",
    """create table block_schema (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        block_type_id {key} not null,
        checksum {key} not null,
        version text not null,
        fields text not null,
        capabilities text not null
    )""",
    "create unique index block_schema_checksum on block_schema (workspace, checksum, version)",
    # the schemas of a type, the newest first
    "create index block_schema_type on block_schema (block_type_id, created)",
    # the schemas of a workspace, the newest first
    "create index block_schema_created on block_schema (workspace, created)",
    """create table block_schema_reference (
        parent_id {key} not null,
        name text not null,
        place integer not null,
        reference_id {key} not null,
        workspace integer not null,
        primary key (parent_id, name, place)
    )""",
    # what goes with a schema that is deleted
    "create index block_schema_reference_to on block_schema_reference (reference_id)",
    """create table block_document (
        id {key} not null primary key,
        workspace integer not null,
        created bigint not null,
        updated bigint not null,
        name {key} not null,
        block_type_id {key} not null,
        block_schema_id {key} not null,
        is_anonymous smallint not null,
        data text not null
    )""",
    "create unique index block_document_name on block_document (block_type_id, name)",
    # the documents of a workspace by name
    "create index block_document_list on block_document (workspace, is_anonymous, name, id)",
    # what goes with a schema that is deleted
    "create index block_document_schema on block_document (block_schema_id)",
    """create table block_document_reference (
        parent_id {key} not null,
        name text not null,
        reference_id {key} not null,
        workspace integer not null,
        primary key (parent_id, name)
    )""",
    # what refers to a document: circles, and what goes with it
    "create index block_document_reference_to on block_document_reference (reference_id)",
    # a known text under the key in use: another key does not open it
    """create table block_key (
        name {key} not null primary key,
        created bigint not null,
        token text not null
    )""",
)
