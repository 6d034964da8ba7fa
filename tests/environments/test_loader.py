from pathlib import Path

import pytest

from environments import load
from headgate.errors import SettingsError


def write(directory: Path, text: str, name: str = "mine") -> Path:
    (directory / f"{name}.toml").write_text(text)
    return directory


def test_the_chosen_environment_is_read(tmp_path: Path) -> None:
    write(tmp_path, 'region = "eu-west-1"\n[role]\nsource_ids = ["abc"]')
    environment = load("mine", tmp_path)
    assert environment.region == "eu-west-1"
    assert environment.role.source_ids == ("abc",)
    assert environment.role.principals == ("segment",)


@pytest.mark.parametrize("name", [None, ""])
def test_no_choice_is_an_error_that_lists_the_valid_ones(tmp_path: Path, name: str | None) -> None:
    write(write(tmp_path, "", "two"), "", "one")
    with pytest.raises(SettingsError) as raised:
        load(name, tmp_path)
    assert str(raised.value) == "no environment is chosen; choose one with -c env=NAME (valid: one, two)"


@pytest.mark.parametrize("name", ["three", "../one", "one.toml"])
def test_an_unknown_one_is_an_error_that_lists_the_valid_ones(tmp_path: Path, name: str) -> None:
    write(tmp_path, "", "one")
    with pytest.raises(SettingsError) as raised:
        load(name, tmp_path)
    assert str(raised.value) == f"env: unknown environment {name!r} (valid: one)"


BASE = 'region = "eu-west-1"\n'
FORWARDER = (
    BASE
    + '[role]\n[forwarder]\ndomain_name = "events.example.com"\ncertificate_arn = "c"\nsources_secret = "s"\n'
)
NETWORK = FORWARDER + "[forwarder.network]\n"
THEIR_VPC = (
    'vpc_id = "vpc-1"\ncidr = "10.0.0.0/16"\navailability_zones = ["a"]\ntask_subnet_ids = ["subnet-1"]\n'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[role]\n", "the key 'region' is missing"),
        (BASE, "the key 'role' is missing"),
        (
            BASE + 'regoin = "x"\n[role]\n',
            "unknown key 'regoin' (did you mean 'region'?); allowed: region, tags, ",
        ),
        (
            'region = "Ireland"\n[role]\n',
            "region: expected string matching regex '^[a-z]{2,}(-[a-z]+)+-\\\\d$'",
        ),
        (BASE + "[role]\n[stream]\nshard_count = 0", "stream.shard_count: expected integer >= 1"),
        (BASE + '[role]\n[stream]\nshard_count = "2"', "stream.shard_count: expected integer, got string"),
        (
            BASE + "[role]\n[stream]\nretention_hours = 9000",
            "stream.retention_hours: expected integer <= 8760",
        ),
        (BASE + '[role]\n[stream]\nencryption = "aws"', "stream.encryption: invalid enum value 'aws'"),
        (
            BASE + '[role]\n[stream]\n[existing_stream]\narn = "x"',
            "stream and existing_stream cannot be given together; give one of them",
        ),
        (
            BASE + '[role]\nsecret_ids = ["text"]',
            "role.secret_ids[1]: expected table, got string",
        ),
        (BASE + "[role]\nsplit = true", "role: split divides source_ids; give them, or leave it out"),
        (
            BASE + '[role]\nsource_ids = ["ab"]\nretired_source_ids = ["ab"]',
            "role: retired_source_ids goes with split = true; else take the ID out of source_ids",
        ),
        (BASE + "[role]\nprincipals = []", "role.principals: expected array of length >= 1"),
        (FORWARDER.replace("domain_name", "domain"), "forwarder: unknown key 'domain' (did you mean"),
        (
            FORWARDER.replace('sources_secret = "s"\n', ""),
            "forwarder: settings are in a secret or in a table: give sources_secret, or settings_table",
        ),
        (FORWARDER + "settings_table = true", "forwarder: settings are in a secret or in a table"),
        (FORWARDER.replace('"s"', '""'), "forwarder.sources_secret: expected string of length >= 1"),
        (
            FORWARDER + 'sources_key_arn = "k"',
            "forwarder: sources_key_arn goes with a sources_secret that is the secret's whole ARN",
        ),
        (FORWARDER + "min_tasks = 0", "forwarder.min_tasks: expected integer >= 1"),
        (FORWARDER + 'cpu_architecture = "arm"', "forwarder.cpu_architecture: invalid enum value 'arm'"),
        (FORWARDER + 'removal_policy = "keep"', "forwarder.removal_policy: invalid enum value 'keep'"),
        (
            FORWARDER + '[[forwarder.other_destinations]]\nrole_address = "r"',
            "forwarder.other_destinations[1]: the key 'stream' is missing",
        ),
        (
            NETWORK + 'vpc_id = "vpc-1"\ncidr = "10.0.0.0/16"',
            "forwarder.network: vpc_id needs availability_zones, task_subnet_ids and cidr beside it",
        ),
        (
            NETWORK + 'task_subnet_ids = ["subnet-1"]',
            "forwarder.network: availability_zones, task_subnet_ids and public_subnet_ids go with vpc_id",
        ),
        (
            NETWORK + THEIR_VPC + "internet_facing = true",
            "forwarder.network: internet_facing needs public_subnet_ids beside vpc_id",
        ),
        (
            NETWORK + THEIR_VPC + "private_delivery = true",
            "forwarder.network: private_delivery makes endpoints in a VPC that is made; those of vpc_id are ",
        ),
        (
            NETWORK + THEIR_VPC + "bind_to_endpoint = true",
            "forwarder.network: bind_to_endpoint needs the endpoint that private_delivery makes",
        ),
        (
            NETWORK + "private_delivery = false\nbind_to_endpoint = true",
            "forwarder.network: bind_to_endpoint needs the endpoint that private_delivery makes",
        ),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load("mine", write(tmp_path, text))
    assert str(raised.value).startswith(f"environment mine (mine.toml): {message}")
    assert "\n" not in str(raised.value)
