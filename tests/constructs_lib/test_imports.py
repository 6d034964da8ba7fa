"""The constructs are the base install: they may need nothing that only an extra brings."""

import ast
import sys
from pathlib import Path

import constructs_lib

ROOM = Path(constructs_lib.__file__).parent
ALLOWED = {"aws_cdk", "constructs", "constructs_lib", *sys.stdlib_module_names}


def test_the_constructs_import_cdk_and_the_standard_library_alone() -> None:
    modules = list(ROOM.rglob("*.py"))
    assert len(modules) > 5
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= ALLOWED, module.name
