"""The constructs are the base install: they may need nothing that only an extra brings."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import constructs_lib

ROOM = Path(constructs_lib.__file__).parent
# jsii is what both of those are called through.
ALLOWED = {"aws_cdk", "constructs", "jsii", "constructs_lib", *sys.stdlib_module_names}

LOADED = """
import sys
import constructs_lib, stacks.stream
print(*(name for name in sys.modules if name.startswith("aws_cdk.aws_") and name.count(".") == 1))
"""


def test_the_constructs_import_cdk_and_the_standard_library_alone() -> None:
    modules = list(ROOM.rglob("*.py"))
    assert len(modules) > 20
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= ALLOWED, module.name


def test_a_stream_alone_loads_nothing_of_ecs() -> None:
    """What it loads is a synth's time: the forwarder's modules of CDK take longer than all of the stream."""
    environment = {"PYTHONPATH": f"{ROOM.parent}:{ROOM.parent / 'runtime'}", "CDK_VALIDATION": "false"}
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == {"aws_cdk.aws_iam", "aws_cdk.aws_kinesis", "aws_cdk.aws_kms"}
