"""Blocks as the SDK and its command line keep and use them."""

from tests.end_to_end.programs import Prefect, printed

SCRIPT = """
    import json
    import warnings
    from typing import Optional

    from prefect import flow, task
    from prefect.blocks.core import Block
    from prefect.blocks.fields import SecretDict
    from prefect.blocks.system import Secret
    from prefect.client.orchestration import get_client
    from prefect.filesystems import LocalFileSystem
    from prefect.utilities.dispatch import get_registry_for_type
    from pydantic import SecretStr

    warnings.simplefilter("error", UserWarning)  # as of a schema the server has otherwise
    said = {}

    Secret(value="hush").save("token")
    said["loaded"] = Secret.load("token").get()
    try:
        Secret(value="other").save("token")
    except ValueError as error:
        said["again"] = str(error)
    Secret(value={"a": [1, 2]}).save("token", overwrite=True)
    said["overwritten"] = Secret.load("token").get()

    class Login(Block):
        user: str
        password: SecretStr

    class Database(Block):
        login: Login
        keys: SecretDict
        spare: Optional[Login] = None

    Database.register_type_and_schema()
    login = Login(user="me", password="inside")
    login.save("login")
    spare = Login(user="you", password="by value")
    Database(login=login, keys={"k": "of a dict"}, spare=spare).save("database")
    found = Database.load("database")
    said["nested"] = [
        found.login._block_document_name, found.login.password.get_secret_value(),
        found.keys.get_secret_value(), found.spare.password.get_secret_value(),
    ]
    with get_client(sync_client=True) as client:
        document = client.read_block_document_by_name("database", "database", include_secrets=False)
        said["shown"] = document.data
        blocks = [block for block in get_registry_for_type(Block).values()]
        said["system"] = sorted(
            client.read_block_schema_by_checksum(
                block._calculate_schema_checksum(), block.get_block_schema_version()
            ).block_type.slug
            for block in blocks
            if block.__module__.startswith("prefect.")
        )

    LocalFileSystem(basepath="results").save("here")

    @task(persist_result=True)
    def answer():
        return 42

    @flow(persist_result=True, result_storage="local-file-system/here")
    def stored():
        return answer()

    state = stored(return_state=True)
    said["result"] = [state.result(), str(state.data.metadata.storage_block_id)]
    Secret.delete("token")
    try:
        Secret.load("token")
    except ValueError as error:
        said["gone"] = str(error)
    print("RESULT " + json.dumps(said))
"""


def test_blocks_are_kept_and_given_back_with_their_secrets(prefect: Prefect) -> None:
    said = printed(prefect.run(SCRIPT))
    assert (said["loaded"], said["overwritten"]) == ("hush", {"a": [1, 2]})
    assert "name that is already in use" in said["again"]
    assert said["nested"] == ["login", "inside", {"k": "of a dict"}, "by value"]
    mask = "********"
    assert said["shown"] == {
        "login": {"user": "me", "password": mask},
        "keys": {"k": mask},
        "spare": {"user": "you", "password": mask, "block_type_slug": "login"},
    }
    assert {"secret", "webhook", "local-file-system", "slack-webhook"} <= set(said["system"])
    here = prefect.get("/block_types/slug/local-file-system/block_documents/name/here")
    assert said["result"] == [42, here["id"]]
    assert len(list((prefect.folder / "results").iterdir())) == 2
    storage = ("experimental", "result-storage")
    assert "Set default" in prefect.cli(*storage, "set", "local-file-system/here")
    assert "local-file-system/here" in prefect.cli(*storage, "inspect")
    assert "Cleared default" in prefect.cli(*storage, "clear")
    assert "No default" in prefect.cli(*storage, "inspect")
    assert "Unable to find block document named token" in said["gone"]


def test_the_command_line_registers_shows_and_deletes_blocks(prefect: Prefect) -> None:
    prefect.write("postal.py", """
        from prefect.blocks.core import Block
        from pydantic import SecretStr

        class Postbox(Block):
            '''Where letters lie.'''
            street: str
            pin: SecretStr
    """)  # fmt: skip
    registered = prefect.cli("block", "register", "-f", "postal.py")
    assert "Successfully registered 1 block" in registered
    assert "Postbox" in registered
    assert "postbox" in prefect.cli("block", "type", "ls")
    assert "Where letters lie" in prefect.cli("block", "type", "inspect", "postbox")
    registered = prefect.cli("block", "register", "-m", "prefect.blocks.notifications")
    assert "Slack Webhook" in registered
    prefect.run("""
        from postal import Postbox

        Postbox(street="Elm", pin="0000").save("corner")
    """)
    assert "postbox/corner" in prefect.cli("block", "ls")
    shown = prefect.cli("block", "inspect", "postbox/corner")
    assert "Elm" in shown
    assert "0000" not in shown
    assert "Deleted Block 'postbox/corner'" in prefect.cli("block", "delete", "postbox/corner")
    assert "postbox/corner" not in prefect.cli("block", "ls")
    assert "not found" in prefect.cli("block", "inspect", "postbox/corner", code=1)
    assert "protected block" in prefect.cli("block", "type", "delete", "secret", code=1)
    assert "Deleted Block Type" in prefect.cli("block", "type", "delete", "postbox")
    assert "not found" in prefect.cli("block", "type", "inspect", "postbox", code=1)
