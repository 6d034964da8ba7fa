"""What a synthesized template becomes when CloudFormation deploys it: ARNs, and policies without tokens."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SECRET = re.compile(r"\{\{resolve:secretsmanager:([^}]*)\}\}")


@dataclass(frozen=True)
class Deployed:
    """A template in one account and region.

    Attributes:
        template: as synthesized.
        secrets: the text behind each `{{resolve:secretsmanager:...}}`, by what stands after that colon.
    """

    template: Mapping[str, Any]
    account: str = "111122223333"
    region: str = "us-west-2"
    secrets: Mapping[str, str] = field(default_factory=dict)

    def arn(self, logical_id: str) -> str:
        """The ARN that a resource gets."""
        resource = self.template["Resources"][logical_id]
        properties = self.resolve(resource.get("Properties", {}))
        path = properties.get("Path", "/")
        in_region = f"{self.region}:{self.account}"
        arns = {
            "AWS::IAM::Role": f"iam::{self.account}:role{path}{properties.get('RoleName', logical_id)}",
            "AWS::IAM::ManagedPolicy": f"iam::{self.account}:policy{path}{logical_id}",
            "AWS::Kinesis::Stream": f"kinesis:{in_region}:stream/{properties.get('Name', logical_id)}",
            "AWS::KMS::Key": f"kms:{in_region}:key/{logical_id}",
        }
        return f"arn:aws:{arns[resource['Type']]}"

    def only(self, type_: str) -> str:
        """The logical ID of the one resource of a type."""
        [logical_id] = self.named(type_)
        return logical_id

    def named(self, type_: str) -> list[str]:
        """The logical IDs of all resources of a type."""
        return [name for name, one in self.template["Resources"].items() if one["Type"] == type_]

    def properties(self, logical_id: str) -> dict[str, Any]:
        """A resource's properties, resolved."""
        resolved: dict[str, Any] = self.resolve(self.template["Resources"][logical_id]["Properties"])
        return resolved

    def policies_of(self, role: str) -> list[dict[str, Any]]:
        """All identity policies of a role: managed ones that name it, and its own inline ones."""
        found = [
            {"name": name, "policy": self.resolve(one["Properties"]["PolicyDocument"])}
            for name, one in self.template["Resources"].items()
            if one["Type"] in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
            and {"Ref": role} in one["Properties"].get("Roles", ())
        ]
        inline = self.properties(role).get("Policies", ())
        return found + [{"name": one["PolicyName"], "policy": one["PolicyDocument"]} for one in inline]

    def resolve(self, value: Any) -> Any:
        """A value as CloudFormation evaluates it; what is not known here is an error, never a guess."""
        match value:
            case {"Ref": name}:
                return self._pseudo(name) if name.startswith("AWS::") else self._reference(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self.arn(name)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(map(self.resolve, parts))
            case dict():
                if unknown := [key for key in value if key.startswith("Fn::")]:
                    raise NotImplementedError(f"{unknown} in {value}")
                return {key: self.resolve(one) for key, one in value.items()}
            case list():
                return list(map(self.resolve, value))
            case str():
                return _SECRET.sub(lambda found: self.secrets[found[1]], value)
        return value

    def _pseudo(self, name: str) -> str:
        return {"AWS::AccountId": self.account, "AWS::Region": self.region, "AWS::Partition": "aws"}[name]

    def _reference(self, name: str) -> str:
        # A managed policy's Ref is its ARN; that of all else here is its name or ID.
        if self.template["Resources"][name]["Type"] == "AWS::IAM::ManagedPolicy":
            return self.arn(name)
        return self.arn(name).rsplit("/", 1)[1]
