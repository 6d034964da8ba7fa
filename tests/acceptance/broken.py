"""Broken set-ups, each made for real: on an embedded AWS that enforces IAM, on moto, and on the fake Kinesis.

A set-up is a function that makes it and returns how `headgate check` is run on it. Its first line is what is
wrong, in the words of docs/operate.md, which lists them all in this order.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from demo.embedded_aws import Credentials, EmbeddedAws
from demo.story import OWNER, REGION, TRUSTED
from headgate.testing import FailRequests, FakeKinesis
from tests.acceptance.world import PUT
from tests.testing.asking import boto3_client

SOURCE_ID = "8kf3Qw2LpZ"
SECRET_ID = "kF9-a-secret-nobody-may-read"
SECRETS = (SECRET_ID, "of-another-workspace", "9Zq1Rr7MnB")
"""External IDs that must be in nothing that the command prints."""
UNREACHABLE = "http://127.0.0.1:9"
OPEN_TO_ALL: dict[str, Any] = {"AWS": "*"}
MOTOS_ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Run:
    """How the command is run."""

    sources: str | None
    """The text of `sources.toml`; None for no such file."""
    environment: Mapping[str, str]
    options: Sequence[str] = ()


@dataclass(frozen=True)
class Where:
    """Where set-ups are made."""

    aws: EmbeddedAws
    moto: str
    """The URL of a moto, in which nothing is enforced."""
    started: ExitStack
    fakes: list[FakeKinesis] = field(default_factory=list)

    def fake(self, **options: Any) -> FakeKinesis:
        """Start a fake, which runs for as long as the test."""
        self.fakes.append(self.started.enter_context(FakeKinesis(**options)))
        return self.fakes[-1]

    def caller(self, name: str, *, account: str = TRUSTED, **statement: Any) -> Mapping[str, str]:
        """Make a user who may assume every role, or what the statements say; return their environment."""
        allowed = {"action": "sts:AssumeRole", "resource": "*"} | statement
        return self.aws.environment(self.aws.user(account, name, **allowed), REGION)

    def admin(self, name: str) -> Mapping[str, str]:
        """Make a user of the streams' account who may do everything in it; return their environment."""
        return self.caller(name, account=OWNER, action="*")

    def role(
        self,
        name: str,
        *trusting: Mapping[str, Any],
        actions: Sequence[str] = PUT,
        stream: str = "events",
        more: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Make a role with statements of trust, which may do `actions` on a stream; return its ARN."""
        iam = self.aws.client("iam", self.aws.root(OWNER))
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*trusting or (trust(),)))
        arn = stream_arn(stream)
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": arn}
        iam.put_role_policy(RoleName=name, PolicyName="put", PolicyDocument=document(allowed, *more))
        return str(made["Role"]["Arn"])

    def stream(self, name: str, **options: Any) -> None:
        """Make a stream on the embedded AWS."""
        kinesis = self.aws.client("kinesis", self.aws.root(OWNER), REGION)
        kinesis.create_stream(StreamName=name, ShardCount=2, **options)

    def records_of(self, stream: str) -> list[dict[str, Any]]:
        """Return all that is in a stream of the embedded AWS."""
        kinesis = self.aws.client("kinesis", self.aws.root(OWNER), REGION)
        found = []
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            at = kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            found += kinesis.get_records(ShardIterator=at)["Records"]
        return found

    def fake_role(self, kinesis: FakeKinesis, *, name: str = "writer", **options: Any) -> str:
        """Make a role on a fake that asks for the source ID; return its ARN."""
        role = f"arn:aws:iam::{MOTOS_ACCOUNT}:role/{name}"
        kinesis.identities.add_role(role, external_ids=[SOURCE_ID], **options)
        return role


def trust(
    external_id: Any = SOURCE_ID,
    *,
    principal: Any = f"arn:aws:iam::{TRUSTED}:root",
    test: str = "StringEquals",
) -> dict[str, Any]:
    """Return a statement of trust; None as the External ID is for none."""
    who = {"AWS": principal} if isinstance(principal, str) else principal
    allowed = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
    return (
        allowed if external_id is None else allowed | {"Condition": {test: {"sts:ExternalId": external_id}}}
    )


def stream_arn(name: str, region: str = REGION) -> str:
    """Return the ARN of a stream of the embedded AWS."""
    return f"arn:aws:kinesis:{region}:{OWNER}:stream/{name}"


def toml(source_id: str = SOURCE_ID, **destination: str) -> str:
    """Return a `sources.toml` of one source with one destination; its stream is `events` if none is named."""
    settings = {"stream_name": "events"} | destination
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    return f'[[sources]]\nid = "{source_id}"\nwrite_keys = ["wk_1"]\n\n[[sources.destinations]]\n{lines}\n'


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


Make = Callable[[Where], Run]


TABLE: dict[str, list[Make]] = {}
"""The set-ups, by where the trouble is."""


def in_table(part: str) -> Callable[[Make], Make]:
    """Have a function in the table."""

    def keep(make: Make) -> Make:
        TABLE.setdefault(part, []).append(make)
        return make

    return keep


SETTINGS = in_table("The settings")
REGIONS = in_table("The region")
CREDENTIALS = in_table("The forwarder's own credentials")
ROLES = in_table("The role refuses")
TRUST = in_table("The role lets in too many")
STREAMS = in_table("The stream")
PERMISSIONS = in_table("The permissions")
PUTS = in_table("What only a put tells (`--put`)")


def what(make: Make) -> str:
    """Return what is wrong with a set-up, in words."""
    return (make.__doc__ or "").strip()


@SETTINGS
def no_file(_: Where) -> Run:
    """there is no file"""
    return Run(None, {})


@SETTINGS
def no_toml(_: Where) -> Run:
    """the file is no TOML"""
    return Run("[[sources", {})


@SETTINGS
def misspelt(_: Where) -> Run:
    """a key is misspelt"""
    return Run(toml(stream="events"), {})


@SETTINGS
def session_for_role(_: Where) -> Run:
    """the ARN of a session where a role's is needed"""
    return Run(toml(role_address=f"arn:aws:sts::{OWNER}:assumed-role/writer/me"), {})


@SETTINGS
def secret_without_role(_: Where) -> Run:
    """a Secret ID, and no role"""
    return Run(toml(secret_id=SECRET_ID), {})


@SETTINGS
def id_with_a_space(_: Where) -> Run:
    """a source ID that cannot be an External ID"""
    return Run(toml("our website", role_address=f"arn:aws:iam::{OWNER}:role/writer"), {})


@SETTINGS
def ill_formed_region(_: Where) -> Run:
    """a region that is not written like one"""
    return Run(toml(region="us-west2"), {})


@REGIONS
def no_region(_: Where) -> Run:
    """a name that no region can have"""
    return Run(toml(region="usa-west-2"), {})


@REGIONS
def misspelt_region(where: Where) -> Run:
    """a region is misspelt"""
    where.stream("misspelt-region")
    return Run(toml(region="us-wset-2", stream_name="misspelt-region"), where.admin("misspelt-region"))


@REGIONS
def another_partition(where: Where) -> Run:
    """a role of another partition"""
    return Run(toml(role_address=f"arn:aws-cn:iam::{OWNER}:role/writer"), {})


@REGIONS
def disabled_region(where: Where) -> Run:
    """the region is not enabled in the role's account"""
    kinesis = where.fake(streams={"events": 1})
    kinesis.faults.add(FailRequests(code="RegionDisabledException", operations=("AssumeRole",)))
    return Run(toml(role_address=where.fake_role(kinesis)), kinesis.environment())


@CREDENTIALS
def no_credentials(_: Where) -> Run:
    """there are none"""
    return Run(toml(), {})


@CREDENTIALS
def unknown_key(where: Where) -> Run:
    """an access key that was deleted"""
    return Run(toml(), where.aws.environment(Credentials("AKIAIOSFODNN7EXAMPLE", "deleted"), REGION))


@CREDENTIALS
def wrong_secret_key(where: Where) -> Run:
    """the secret access key of another access key"""
    return Run(toml(), dict(where.caller("wrong-secret-key")) | {"AWS_SECRET_ACCESS_KEY": "of another"})


@CREDENTIALS
def expired(where: Where) -> Run:
    """a login that has ended"""
    kinesis = where.fake(streams={"events": 1})
    role = where.fake_role(kinesis)
    session = assumed_on(kinesis, role)
    kinesis.identities.expire_tokens()
    return Run(toml(role_address=role), session)


@CREDENTIALS
def unreachable(where: Where) -> Run:
    """no way to STS"""
    environment = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    role = f"arn:aws:iam::{OWNER}:role/writer"
    return Run(
        toml(role_address=role), environment | {"AWS_ENDPOINT_URL": UNREACHABLE, "AWS_MAX_ATTEMPTS": "1"}
    )


@ROLES
def no_role(where: Where) -> Run:
    """there is no such role, in another account"""
    return Run(toml(role_address=f"arn:aws:iam::{OWNER}:role/wrietr"), where.caller("no-role"))


@ROLES
def stranger(where: Where) -> Run:
    """the trust policy names another account"""
    role = where.role("trusts-another", trust(principal="arn:aws:iam::777788889999:root"))
    return Run(toml(role_address=role), where.caller("stranger"))


@ROLES
def source_id_for_secret_id(where: Where) -> Run:
    """the role expects a Secret ID, and the source ID is sent"""
    role = where.role("wants-secret", trust(SECRET_ID))
    return Run(toml(role_address=role), where.caller("sends-source-id"))


@ROLES
def secret_id_for_source_id(where: Where) -> Run:
    """the role expects the source ID, and a Secret ID is sent"""
    role = where.role("wants-source-id")
    return Run(toml(role_address=role, secret_id=SECRET_ID), where.caller("sends-secret"))


@ROLES
def another_secret_id(where: Where) -> Run:
    """the role expects another Secret ID"""
    role = where.role("wants-another-secret", trust(SECRETS[1]))
    return Run(toml(role_address=role, secret_id=SECRET_ID), where.caller("sends-old-secret"))


@ROLES
def may_not_assume(where: Where) -> Run:
    """the caller lacks sts:AssumeRole"""
    return Run(
        toml(role_address=where.role("not-asked")), where.caller("may-not-assume", action="s3:GetObject")
    )


@ROLES
def denied_to_assume(where: Where) -> Run:
    """a Deny in the caller's own policies"""
    environment = where.caller("denied-to-assume")
    iam = where.aws.client("iam", where.aws.root(TRUSTED))
    denied = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
    iam.put_user_policy(UserName="denied-to-assume", PolicyName="deny", PolicyDocument=document(denied))
    return Run(toml(role_address=where.role("denied")), environment)


@ROLES
def own_session(where: Where) -> Run:
    """the caller is the role itself already"""
    kinesis = where.fake(streams={"events": 1})
    role = where.fake_role(kinesis)
    session = assumed_on(kinesis, role)
    kinesis.identities.distrust(role)
    return Run(toml(role_address=role), session)


@ROLES
def no_role_here(where: Where) -> Run:
    """there is no such role, in the caller's account"""
    return Run(toml(role_address=f"arn:aws:iam::{OWNER}:role/wrietr"), where.admin("no-role-here"))


@ROLES
def not_named(where: Where) -> Run:
    """the trust policy can be read, and does not name the caller"""
    return Run(toml(role_address=where.role("names-another")), where.admin("not-named"))


@ROLES
def deleted_principal(where: Where) -> Run:
    """the caller was deleted and made again"""
    role = where.role("names-a-deleted", trust(principal="AROA4029D4D773AE4045B"))
    return Run(toml(role_address=role), where.admin("made-again"))


@ROLES
def another_id_here(where: Where) -> Run:
    """the trust policy can be read, and expects another External ID"""
    role = where.role("expects-another", trust(SECRETS[2], principal=OWNER))
    return Run(toml(role_address=role), where.admin("sends-another"))


@TRUST
def no_condition(where: Where) -> Run:
    """the condition on sts:ExternalId is missing"""
    return Run(toml(role_address=where.role("open", trust(None))), where.caller("finds-open"))


@TRUST
def any_id(where: Where) -> Run:
    """any External ID will do"""
    role = where.role("any-id", trust("*", test="StringLike"))
    return Run(toml(role_address=role), where.caller("finds-any-id"))


@TRUST
def if_exists(where: Where) -> Run:
    """StringEqualsIfExists, in a policy that can be read"""
    look = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": f"arn:aws:iam::{OWNER}:role/if-exists"}
    role = where.role("if-exists", trust(test="StringEqualsIfExists"), more=[look])
    return Run(toml(role_address=role), where.caller("finds-if-exists"))


@TRUST
def everybody(where: Where) -> Run:
    """a second statement lets everybody in"""
    look = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": f"arn:aws:iam::{OWNER}:role/everybody"}
    role = where.role("everybody", trust(), trust(None, principal="*") | {"Sid": "Debugging"}, more=[look])
    return Run(toml(role_address=role), where.caller("finds-everybody"))


@TRUST
def another_vendor(where: Where) -> Run:
    """a second writer is let in without an External ID"""
    look = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": f"arn:aws:iam::{OWNER}:role/two-writers"}
    segment = "arn:aws:iam::595280932656:role/customer-kinesis-access"
    role = where.role("two-writers", trust(), trust(None, principal=segment), more=[look])
    return Run(toml(role_address=role), where.caller("finds-two-writers"))


@TRUST
def motos_open_role(where: Where) -> Run:
    """a condition that holds where the key is missing (on moto)"""
    role = on_moto(where, "for-all", trust(test="ForAllValues:StringEquals", principal=MOTOS_ACCOUNT))
    return Run(toml(role_address=role), environment_of(where.moto))


@STREAMS
def no_stream(where: Where) -> Run:
    """there is no such stream"""
    look = {"Effect": "Allow", "Action": "kinesis:DescribeStreamSummary", "Resource": "*"}
    role = where.role("no-stream", more=[look])
    return Run(toml(role_address=role, stream_name="evnets"), where.caller("no-stream"))


@STREAMS
def another_region(where: Where) -> Run:
    """the stream is in another region"""
    where.stream("elsewhere")
    look = {"Effect": "Allow", "Action": "kinesis:DescribeStreamSummary", "Resource": "*"}
    role = where.role("elsewhere", more=[look])
    return Run(
        toml(role_address=role, stream_name="elsewhere", region="eu-west-1"), where.caller("looks-elsewhere")
    )


@STREAMS
def being_made(where: Where) -> Run:
    """the stream is still being made"""
    kinesis = where.fake(creation_seconds=3600)
    boto3_client(kinesis).create_stream(StreamName="events", ShardCount=1)
    return Run(toml(role_address=where.fake_role(kinesis)), kinesis.environment())


@STREAMS
def no_streamon_moto(where: Where) -> Run:
    """there is no such stream, and the settings have no role (on moto)"""
    return Run(toml(stream_name="evnets"), environment_of(where.moto))


@PERMISSIONS
def single_puts_alone(where: Where) -> Run:
    """the policy has PutRecord alone, as Segment's documents once had"""
    where.stream("single-puts")
    role = where.role(
        "single-puts", trust(principal=OWNER), actions=["kinesis:PutRecord"], stream="single-puts"
    )
    return Run(toml(role_address=role, stream_name="single-puts"), where.admin("single-puts"))


@PERMISSIONS
def no_single_puts(where: Where) -> Run:
    """the policy has PutRecords alone"""
    kinesis = where.fake(streams={"events": 1})
    kinesis.identities.simulate({"kinesis:PutRecords": "allowed"})
    return Run(toml(role_address=where.fake_role(kinesis)), kinesis.environment())


@PERMISSIONS
def denied_puts(where: Where) -> Run:
    """a Deny in the role's policies"""
    where.stream("denied-puts")
    denied = {"Effect": "Deny", "Action": "kinesis:*", "Resource": "*"}
    role = where.role("denied-puts", trust(principal=OWNER), stream="denied-puts", more=[denied])
    return Run(toml(role_address=role, stream_name="denied-puts"), where.admin("denied-puts"))


@PERMISSIONS
def narrow_policy(where: Where) -> Run:
    """the policy names another stream than the settings do"""
    kinesis = where.fake(streams={"events": 1})
    kinesis.identities.simulate({})
    role = where.fake_role(kinesis, actions=["PutRecord", "PutRecords"])
    return Run(toml(role_address=role), kinesis.environment())


@PERMISSIONS
def no_key(where: Where) -> Run:
    """the policy lacks kms:GenerateDataKey for the stream's own key"""
    where.stream("encrypted")
    key = f"arn:aws:kms:{REGION}:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    kinesis = where.aws.client("kinesis", where.aws.root(OWNER), REGION)
    kinesis.start_stream_encryption(StreamName="encrypted", EncryptionType="KMS", KeyId=key)
    role = where.role("no-key", trust(principal=OWNER), stream="encrypted")
    return Run(toml(role_address=role, stream_name="encrypted"), where.admin("no-key"))


@PUTS
def may_not_put(where: Where) -> Run:
    """the role may not put"""
    where.stream("not-put")
    role = where.role("may-not-put", actions=["kinesis:ListShards"], stream="not-put")
    return Run(toml(role_address=role, stream_name="not-put"), where.caller("may-not-put"), ["--put"])


@PUTS
def single_put(where: Where) -> Run:
    """the role may PutRecord alone"""
    kinesis = where.fake(streams={"events": 1})
    role = where.fake_role(kinesis, actions=["PutRecord"])
    return Run(toml(role_address=role), kinesis.environment(), ["--put"])


@PUTS
def not_there_to_put(where: Where) -> Run:
    """no such stream, and no permission to look"""
    kinesis = where.fake()
    role = where.fake_role(kinesis, actions=["PutRecord", "PutRecords"])
    return Run(toml(role_address=role), kinesis.environment(), ["--put"])


def _put_fault(code: str) -> Make:
    def make(where: Where) -> Run:
        kinesis = where.fake(streams={"events": 1})
        kinesis.faults.add(FailRequests(code=code, operations=("PutRecords",)))
        return Run(toml(role_address=where.fake_role(kinesis)), kinesis.environment(), ["--put"])

    return make


for _code, _what in {
    "KMSAccessDeniedException": "the role may not use the stream's key",
    "KMSDisabledException": "the key is disabled",
    "KMSInvalidStateException": "the key is about to be deleted",
    "KMSNotFoundException": "the key is gone",
    "ProvisionedThroughputExceededException": "the stream takes no more",
}.items():
    _make = _put_fault(_code)
    _make.__name__, _make.__doc__ = _code, _what
    PUTS(_make)


@PUTS
def own_put(where: Where) -> Run:
    """without a role: the forwarder's own credentials may not put"""
    where.stream("own-put")
    environment = where.caller("own-put", account=OWNER, action="kinesis:ListShards")
    return Run(toml(stream_name="own-put"), environment, ["--put"])


def assumed_on(kinesis: FakeKinesis, role: str) -> Mapping[str, str]:
    """Return the environment of a session of a fake's role."""
    given = boto3_client(kinesis, "sts").assume_role(
        RoleArn=role, RoleSessionName="operator", ExternalId=SOURCE_ID
    )["Credentials"]
    return kinesis.environment() | {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def on_moto(where: Where, name: str, *trusting: Mapping[str, Any]) -> str:
    """Make a role on moto, and the stream that it writes to."""
    moto = EmbeddedAws(where.moto)
    keys = Credentials(*KEYS_OF_MOTO)
    kinesis = moto.client("kinesis", keys, REGION)
    if "events" not in kinesis.list_streams()["StreamNames"]:
        kinesis.create_stream(StreamName="events", ShardCount=1)
    made = moto.client("iam", keys).create_role(RoleName=name, AssumeRolePolicyDocument=document(*trusting))
    return str(made["Role"]["Arn"])


KEYS_OF_MOTO = ("AKIAIOSFODNN7EXAMPLE", "secret")


def environment_of(url: str) -> Mapping[str, str]:
    return EmbeddedAws(url).environment(Credentials(*KEYS_OF_MOTO), REGION)
