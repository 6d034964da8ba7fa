"""What a synthesized template becomes when CloudFormation deploys it: ARNs, and policies without tokens."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_SECRET = re.compile(r"\{\{resolve:secretsmanager:([^}]*)\}\}")
_IN_SUB = re.compile(r"\$\{([\w:]+)\}")

Policy = dict[str, Any]


@dataclass(frozen=True)
class Deployed:
    """A template in one account and region.

    Attributes:
        template: as synthesized.
        account: where it is deployed.
        region: where it is deployed.
        secrets: the text behind each `{{resolve:secretsmanager:...}}`, by what stands after that colon.
        name: the stack's name; it goes before the names of its policies.
        beside: other stacks that are deployed, by their names: what this one refers to, and what its
            principals may meet.
    """

    template: Mapping[str, Any]
    account: str = "111122223333"
    region: str = "us-west-2"
    secrets: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    beside: Mapping[str, "Deployed"] = field(default_factory=dict)

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
            "AWS::DynamoDB::Table": f"dynamodb:{in_region}:table/{logical_id}",
            "AWS::KMS::Key": f"kms:{in_region}:key/{logical_id}",
            "AWS::SQS::Queue": f"sqs:{in_region}:{logical_id}",
            "AWS::Logs::LogGroup": f"logs:{in_region}:log-group:{logical_id}",
            "AWS::S3::Bucket": f"s3:::{logical_id.lower()}",
            "AWS::ECS::Cluster": f"ecs:{in_region}:cluster/{logical_id}",
            "AWS::ECS::TaskDefinition": f"ecs:{in_region}:task-definition/{logical_id}:1",
            "AWS::Events::Rule": f"events:{in_region}:rule/{logical_id}",
            "AWS::Scheduler::ScheduleGroup": f"scheduler:{in_region}:schedule-group/{logical_id}",
        }
        return f"arn:aws:{arns[resource['Type']]}"

    def only(self, type_: str) -> str:
        """The logical ID of the one resource of a type."""
        [logical_id] = self.named(type_)
        return logical_id

    def named(self, type_: str) -> list[str]:
        """The logical IDs of all resources of a type."""
        return [name for name, one in self.template["Resources"].items() if one["Type"] == type_]

    def called(self, prefix: str) -> str:
        """The logical ID of the one resource that has this ID, but for the eight digits that CDK adds."""
        [logical_id] = [
            name for name in self.template["Resources"] if re.fullmatch(rf"{prefix}[0-9A-F]{{8}}", name)
        ]
        return logical_id

    def properties(self, logical_id: str) -> dict[str, Any]:
        """A resource's properties, resolved."""
        resolved: dict[str, Any] = self.resolve(self.template["Resources"][logical_id]["Properties"])
        return resolved

    def policies(self) -> dict[str, Policy]:
        """Every policy of the template, of whatever kind, by `STACK/LOGICAL_ID.PROPERTY`."""
        return {
            f"{self.name}/{name}{path}": self.resolve(document)
            for name, one in self.template["Resources"].items()
            for path, document in _documents(one.get("Properties", {}))
        }

    def policies_of(self, role: str) -> list[dict[str, Any]]:
        """All identity policies of a role: managed ones that name it, and its own inline ones."""
        names = [
            f"{self.name}/{name}.PolicyDocument"
            for name, one in self.template["Resources"].items()
            if one["Type"] in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
            and {"Ref": role} in one["Properties"].get("Roles", ())
        ]
        policies = self.policies()
        inline = [name for name in policies if name.startswith(f"{self.name}/{role}.Policies")]
        return [{"name": name, "policy": policies[name]} for name in names + inline]

    def resource_policy_of(self, arn: str, action: str) -> tuple[str, Policy] | None:
        """What a role, key, queue, bucket or object has to say of an action, and its name; here or beside."""
        for logical_id, one in self.template["Resources"].items():
            if one["Type"] in _POLICY_OF and self._is(logical_id, arn):
                if one["Type"] == "AWS::IAM::Role" and action != "sts:AssumeRole":
                    return None
                name = self._policy_for(logical_id, *_POLICY_OF[one["Type"]])
                return name, self.policies()[name]
        found_beside = (stack.resource_policy_of(arn, action) for stack in self.beside.values())
        return next((found for found in found_beside if found is not None), None)

    def _is(self, logical_id: str, arn: str) -> bool:
        """Whether an ARN is that of a resource, or of an object in it."""
        own = self.arn(logical_id)
        return arn == own or (own.startswith("arn:aws:s3:") and arn.startswith(f"{own}/"))

    def _policy_for(self, logical_id: str, prop: str, type_: str | None, names: str) -> str:
        """The name of a resource's policy: a property of its own, or of a resource that names it."""
        if type_ is None:
            return f"{self.name}/{logical_id}.{prop}"
        [owner] = [
            name
            for name in self.named(type_)
            if {"Ref": logical_id} in _listed(self.template["Resources"][name]["Properties"][names])
        ]
        return f"{self.name}/{owner}.{prop}"

    def resolve(self, value: Any) -> Any:
        """A value as CloudFormation evaluates it; what is not known here is an error, never a guess."""
        match value:
            case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::GetStackOutput": _} | {"Fn::ImportValue": _}:
                return self._named_value(value)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(map(self.resolve, parts))
            case {"Fn::Sub": str(text)}:
                return _IN_SUB.sub(lambda found: self.resolve({"Ref": found[1]}), text)
            case dict():
                if unknown := [key for key in value if key.startswith("Fn::")]:
                    raise NotImplementedError(f"{unknown} in {value}")
                return {key: self.resolve(one) for key, one in value.items()}
            case list():
                return list(map(self.resolve, value))
            case str():
                return _SECRET.sub(lambda found: self.secrets[found[1]], value)
        return value

    def _named_value(self, value: Any) -> Any:
        """What another resource or another stack has to say."""
        match value:
            case {"Ref": name}:
                return self._pseudo(name) if name.startswith("AWS::") else self._reference(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                # A log group's attribute stands for all of its streams.
                logs = self.template["Resources"][name]["Type"] == "AWS::Logs::LogGroup"
                return self.arn(name) + (":*" if logs else "")
            case {"Fn::GetStackOutput": {"StackName": stack, "Region": self.region, "OutputName": output}}:
                return self.beside[stack].output(output)
            case {"Fn::ImportValue": export}:
                return self._exported(self.resolve(export))
        raise NotImplementedError(str(value))

    def output(self, name: str) -> Any:
        """The value of an output."""
        return self.resolve(self.template["Outputs"][name]["Value"])

    def _exported(self, export: str) -> Any:
        [found] = [
            stack.output(name)
            for stack in self.beside.values()
            for name, one in stack.template.get("Outputs", {}).items()
            if stack.resolve(one.get("Export", {}).get("Name")) == export
        ]
        return found

    def _pseudo(self, name: str) -> str:
        return {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }[name]

    def _reference(self, name: str) -> str:
        # Some have an ARN as their Ref, an endpoint has its ID; that of all else here is its name or ID.
        match self.template["Resources"][name]["Type"]:
            case "AWS::IAM::ManagedPolicy" | "AWS::ECS::TaskDefinition":
                return self.arn(name)
            case "AWS::EC2::VPCEndpoint":
                return f"vpce-{hashlib.sha256(name.encode()).hexdigest()[:17]}"
        return re.split("[/:]", self.arn(name))[-1]


# Where the policy of a resource is: the property, and for one in another resource that one's type and where
# it names those that it is for.
_POLICY_OF: dict[str, tuple[str, str | None, str]] = {
    "AWS::IAM::Role": ("AssumeRolePolicyDocument", None, ""),
    "AWS::KMS::Key": ("KeyPolicy", None, ""),
    "AWS::SQS::Queue": ("PolicyDocument", "AWS::SQS::QueuePolicy", "Queues"),
    "AWS::S3::Bucket": ("PolicyDocument", "AWS::S3::BucketPolicy", "Bucket"),
}


def _documents(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All policies within a value, and where each is."""
    if isinstance(value, dict):
        if "Statement" in value and "Version" in value:
            yield path, value
            return
        for key, one in value.items():
            yield from _documents(one, f"{path}.{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _documents(one, f"{path}[{number}]")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
