"""What `make plugin` writes is whole: it has the anatomy, and its test passes."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "plugins" / "template" / "render.py"
RUN = """
import sys, armillary_migrations, armillary_plugins, pytest
root = sys.argv[1]
armillary_plugins.__path__.append(f"{root}/plugins/armillary_plugins")
armillary_migrations.__path__.append(f"{root}/migrations/armillary_migrations")
import importlib.util
spec = importlib.util.spec_from_file_location("anatomy", sys.argv[2])
anatomy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(anatomy)
from pathlib import Path
anatomy.ROOT = Path(root)
plugin = anatomy.FOUND["hello"]
checks = [check for name, check in vars(anatomy).items() if name.startswith("test_")]
assert len(checks) > 5
for check in checks:
    check(plugin)
options = ["-q", "-p", "no:cacheprovider", "--asyncio-mode=auto", f"--rootdir={root}"]
sys.exit(pytest.main([*options, f"{root}/tests/plugins/hello"]))
"""


def test_a_rendered_plugin_is_whole(tmp_path: Path) -> None:
    written = runpy.run_path(str(TEMPLATE))["render"]("hello", tmp_path)
    assert len(written) == 16
    assert not any("example" in path.read_text() for path in written)
    anatomy = ROOT / "tests/contracts/test_anatomy.py"
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), str(anatomy)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("name", ["", "Hello", "two words", "../up"])
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no name for a plugin"):
        runpy.run_path(str(TEMPLATE))["render"](name, tmp_path)
    assert list(tmp_path.iterdir()) == []
