"""Draw what one environment deploys: cdk-dia reads the synthesized app, and Graphviz lays it out.

`make diagram` runs it, and writes docs/deploy.svg.
"""

import base64
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CDK_DIA = Path(__file__).with_name("node_modules") / ".bin" / "cdk-dia"
TYPE, PROPS = "aws:cdk:cloudformation:type", "aws:cdk:cloudformation:props"
ICON_PIXELS = 96

# What would make a line from nearly everywhere, and so would hide the others.
OF_EVERYBODY = {"networkConfiguration", "subnetIds", "subnets", "vpcId"}
WATCHES_EVERYBODY = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::VPCEndpoint",
    "AWS::KMS::Key",
}

Node = dict[str, Any]
"""A construct, as CDK's tree.json has it."""


def walk(node: Node) -> Iterator[Node]:
    """Yield a construct and all that is in it."""
    yield node
    for child in node.get("children", {}).values():
        yield from walk(child)


def simplify(node: Node) -> None:
    """Make of a construct what cdk-dia shows well; each of its resources stays."""
    children: dict[str, Node] = node.get("children", {})
    for child in children.values():
        simplify(child)
    attributes: dict[str, Any] = node.setdefault("attributes", {})
    # cdk-dia draws a construct as its child Resource, with that one's icon, if this is a resource itself.
    while "Resource" in (inner := children.get("Resource", {}).get("children", {})):
        children |= {"Resource": inner.pop("Resource"), **inner}
    if "AWS::ECS::Service" in {child["attributes"].get(TYPE) for child in children.values()}:
        attributes["CDK-DIA_CollapssingCustomizer"] = "FORCE_COLLAPSE"  # cdk-dia's own spelling
    props: dict[str, Any] = attributes.get(PROPS, {})
    for name in props if attributes.get(TYPE) in WATCHES_EVERYBODY else OF_EVERYBODY & props.keys():
        props[name] = None


def dot_of(tree: Node) -> str:
    """Return cdk-dia's diagram in Graphviz's language."""
    with tempfile.TemporaryDirectory() as directory:
        source, picture = Path(directory) / "tree.json", Path(directory) / "diagram.png"
        source.write_text(json.dumps({"version": "tree-0.1", "tree": tree}))
        command: list[str | Path] = [CDK_DIA, "--tree", source, "--target", picture]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return picture.with_suffix(".dot").read_text()


def between_stacks(assembly: Path, tree: Node) -> Iterator[tuple[str, str]]:
    """Yield who uses what of another stack, by construct path: cdk-dia does not know weak references."""
    for node in walk(tree):
        used = re.findall(
            r'"Fn::GetStackOutput": {"StackName": "([^"]+)"[^}]*"OutputName": "([^"]+)"',
            json.dumps(node["attributes"].get(PROPS)),
        )
        for stack, output in used:
            template = json.loads((assembly / f"{stack}.template.json").read_text())
            logical_id, _ = template["Outputs"][output]["Value"]["Fn::GetAtt"]
            yield node["path"], template["Resources"][logical_id]["Metadata"]["aws:cdk:path"]


def drawn_as(path: str, drawn: set[str]) -> str:
    """Return the construct that stands for the one at `path`: itself, or the one that it is folded into."""
    return path if path in drawn or "/" not in path else drawn_as(path.rpartition("/")[0], drawn)


def laid_out(dot: str, lines: Iterator[tuple[str, str]]) -> str:
    """Return the diagram with more lines, larger letters, and in two rows what would be one long one."""
    drawn = set(re.findall(r'^ +"([^"]+/[^"]+)" \[$', dot, re.MULTILINE))
    more = {(drawn_as(one, drawn), drawn_as(other, drawn)) for one, other in lines}
    dot = dot.replace("fontsize = 12;", "fontsize = 17;").rstrip().removesuffix("}")
    dot += "".join(f'"{one}" -> "{other}" [constraint = false];\n' for one, other in sorted(more))
    alone = sorted(each for each in drawn if f'"{each}" ->' not in dot and f'-> "{each}"' not in dot)
    half = len(alone) // 2
    for one, other in zip(alone[:half], alone[half:], strict=False):
        dot += f'"{one}" -> "{other}" [style = invis];\n'
    return f"{dot}dpi = 72;\npad = 0.1;\n}}\n"


def with_icons_inside(svg: str) -> str:
    """Return the picture with its icons in it, each once, in place of the names of their files."""
    from PIL import Image  # in the drawing's own environment, not in the tests'

    definitions: dict[tuple[str, ...], str] = {}

    def use(match: re.Match[str]) -> str:
        file, width, height, x, y = match.groups()
        name = f"icon{len(definitions)}"
        if (file, width, height) not in definitions:
            small = io.BytesIO()
            icon = Image.open(file).resize((ICON_PIXELS, ICON_PIXELS), Image.Resampling.LANCZOS)
            icon.save(small, "PNG", optimize=True)
            data = f"data:image/png;base64,{base64.b64encode(small.getvalue()).decode()}"
            definitions[file, width, height] = (
                f'<image id="{name}" width="{width}" height="{height}" xlink:href="{data}"/>'
            )
        [name] = re.findall(r'id="(\w+)"', definitions[file, width, height])
        return f'<use xlink:href="#{name}" x="{x}" y="{y}"/>'

    image = r'<image xlink:href="([^"]+)" width="([^"]+)" height="([^"]+)"[^>]* x="([^"]+)" y="([^"]+)"/>'
    head, tag, rest = re.sub(image, use, svg).partition('xmlns:xlink="http://www.w3.org/1999/xlink">')
    return "\n".join([head + tag, "<defs>", *definitions.values(), "</defs>"]) + rest


def main() -> None:
    """Draw the cloud assembly that the first argument names into the file that the second names."""
    assembly, picture = map(Path, sys.argv[1:])
    tree: Node = json.loads((assembly / "tree.json").read_text())["tree"]
    simplify(tree)
    dot = laid_out(dot_of(tree), between_stacks(assembly, tree))
    svg = subprocess.run(["dot", "-q", "-Tsvg"], input=dot, check=True, capture_output=True, text=True).stdout
    picture.write_text(with_icons_inside(svg))


if __name__ == "__main__":
    main()
