"""The app, for an AWS that cannot make everything: what it cannot make is taken out of the templates.

`cdk --app "python tests/acceptance/cdk_here.py"` runs the app as it is and lets go of resources of the types
in `NOT_HERE`, of what refers to them, and of nothing else. Each template is beside it as it was.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

NOT_HERE = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm.Metrics",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
}
"""What ministack cannot make: types, and types with a property. Taken off as soon as it can."""

WHOLE = ".whole.json"
"""The end of a template's name, with nothing taken out."""


def without(template: dict[str, Any], types: set[str]) -> dict[str, Any]:
    """Return a template without resources of some types, and without what names them."""
    gone = {name for name, one in template["Resources"].items() if types & kinds_of(one)}
    kept = {name: one for name, one in template["Resources"].items() if name not in gone}
    return template | {
        "Resources": {name: _pruned(one, gone) for name, one in kept.items()},
        "Outputs": {name: one for name, one in template.get("Outputs", {}).items() if not _names(one, gone)},
    }


def kinds_of(resource: dict[str, Any]) -> set[str]:
    """Return the type of a resource, alone and with each of its properties."""
    type_ = resource["Type"]
    return {type_, *(f"{type_}.{name}" for name in resource.get("Properties", {}))}


def _pruned(value: Any, gone: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _pruned(item, gone)
            for key, item in value.items()
            if not _is_reference(item, gone)
            and not (key == "DependsOn" and isinstance(item, str) and item in gone)
        }
    if isinstance(value, list):
        # A list of texts may be a DependsOn, which names resources by their ids alone.
        return [
            _pruned(item, gone)
            for item in value
            if not _is_reference(item, gone) and not (isinstance(item, str) and item in gone)
        ]
    return value


def _is_reference(value: Any, gone: set[str]) -> bool:
    """Whether a value is, or is computed from, an attribute of what is gone."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    [(function, argument)] = value.items()
    if function == "Ref":
        return argument in gone
    if function == "Fn::GetAtt":
        return argument[0] in gone
    # A text loses the part that names what is gone, such as a dashboard's, which names many.
    return function.startswith("Fn::") and function != "Fn::Join" and _names(argument, gone)


def _names(value: Any, gone: set[str]) -> bool:
    if isinstance(value, dict):
        return _is_reference(value, gone) or any(_names(item, gone) for item in value.values())
    return isinstance(value, list) and any(_names(item, gone) for item in value)


def rewrite(outdir: Path, types: set[str]) -> None:
    """Take resources of some types out of every template of a cloud assembly."""
    for file in outdir.glob("*.template.json"):
        whole = file.read_text(encoding="utf-8")
        file.with_name(file.name.replace(".template.json", WHOLE)).write_text(whole, encoding="utf-8")
        text = json.dumps(without(json.loads(whole), types))
        file.write_text(text, encoding="utf-8")
        # A template is uploaded under a hash of its text, and one that is there is not uploaded again.
        assets = file.with_name(file.name.replace(".template.", ".assets."))
        if assets.exists():
            before = next(
                hash_
                for hash_, one in json.loads(assets.read_text())["files"].items()
                if one["source"]["path"] == file.name
            )
            after = hashlib.sha256(text.encode()).hexdigest()
            for named_in in (assets, outdir / "manifest.json"):
                named_in.write_text(named_in.read_text().replace(before, after), encoding="utf-8")


def main() -> None:
    """Synthesize into `CDK_OUTDIR`, as the CDK command line asks an app to."""
    subprocess.run([sys.executable, ROOT / "app.py"], check=True)
    rewrite(Path(os.environ["CDK_OUTDIR"]), NOT_HERE)


if __name__ == "__main__":
    main()
