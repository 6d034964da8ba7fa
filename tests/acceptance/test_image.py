"""The image, built and run: what is in it, what it may do, and that it delivers and stops as it should."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import aiohttp
import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecs as ecs

from constructs_lib.forwarder.image import AUDIENCES, forwarder_image
from demo.processes import free_port
from headgate.testing import FailRecords, FakeKinesis
from tests.acceptance.clients import Client, connections, users_of
from tests.acceptance.containers import (
    ARCHITECTURE,
    ARCHITECTURES,
    BASE,
    ROOT,
    RUNTIME,
    Engine,
    NoEngineError,
    engine_with_base,
)
from tests.acceptance.evidence import everything_arrived, order_kept
from tests.acceptance.fake_aws import add_source, stream_of
from tests.acceptance.serving import as_toml, eventually

MOST_OVER_BASE = 120_000_000
IMAGE = "headgate:test"
HOME = "/opt/headgate"
INSIDE = (ROOT / "tests" / "acceptance" / "inside.py").read_text(encoding="utf-8")
DOCKERFILE = (RUNTIME / "Dockerfile").read_text(encoding="utf-8")
LOCK = RUNTIME / "requirements.txt"
LOCKS = (LOCK, RUNTIME / "requirements-audiences.txt")
SPILL = """
import json, tempfile
from pathlib import Path
import duckdb
refused = []
for directory in ("/", "/var/tmp", "/run", "/opt/headgate"):
    try:
        Path(directory, "written").touch()
    except OSError:
        refused.append(directory)
with tempfile.TemporaryDirectory() as scratch:
    limits = {"memory_limit": "60MB", "temp_directory": scratch, "threads": 1}
    db = duckdb.connect(config=limits)
    db.execute("CREATE TABLE now AS SELECT md5(range::VARCHAR) AS id FROM range(800000)")
    db.execute("CREATE TABLE was AS SELECT md5((range + 300000)::VARCHAR) AS id FROM range(800000)")
    [[spilled]] = db.execute("SELECT coalesce(sum(size), 0) FROM duckdb_temporary_files()").fetchall()
    difference = "SELECT count(*) FROM now FULL JOIN was USING (id) WHERE now.id IS NULL OR was.id IS NULL"
    [[different]] = db.execute(difference).fetchall()
print(json.dumps({"different": different, "spilled": int(spilled), "refused": refused}))
"""
"""What a sync does in its image, smaller: a comparison that does not fit into its memory."""
ELF_MACHINES = {"amd64": 62, "arm64": 183}
"""e_machine of an ELF file: EM_X86_64 and EM_AARCH64."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    try:
        return engine_with_base()
    except NoEngineError as none:
        pytest.skip(str(none))


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that CDK would have Docker build."""
    outdir = tmp_path_factory.mktemp("assembly")
    stack = cdk.Stack(cdk.App(outdir=str(outdir)), "Test")
    forwarder_image(stack, "Image", cpu_architecture=ecs.CpuArchitecture.ARM64)
    [staged] = outdir.glob("asset.*")
    return staged


@pytest.fixture(scope="module")
def image(engine: Engine, context: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    engine.build(context, IMAGE, tmp_path_factory.mktemp("pip"))
    return IMAGE


@pytest.fixture(scope="module")
def with_audiences(engine: Engine, context: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image that syncs audiences, as CDK would have Docker build it."""
    tag = "headgate-audiences:test"
    engine.build(context, tag, tmp_path_factory.mktemp("pip"), f"--target={AUDIENCES}")
    return tag


@pytest.fixture
def kinesis() -> Iterator[FakeKinesis]:
    with FakeKinesis() as kinesis:
        yield kinesis


def inside(engine: Engine, image: str, directory: str) -> dict[str, Any]:
    """Return what an image holds in a directory, and the files elsewhere in it."""
    options = ("--rm", "--network=none", "--user=0:0", "--entrypoint=python3")
    return dict(json.loads(engine("run", *options, image, "-c", INSIDE, directory)))


async def answered(http: aiohttp.ClientSession, url: str) -> int:
    """Return the status of an answer."""
    async with http.get(url) as answer:
        return answer.status


def locked(*locks: Path) -> set[str]:
    """Return the packages that an image is to have, as their wheels call them."""
    text = "".join(lock.read_text(encoding="utf-8") for lock in locks or [LOCK])
    pins = re.findall(r"^(\S+)==(\S+)(.*)", text, re.MULTILINE)
    return {f"{name.replace('-', '_')}-{version}" for name, version, marker in pins if "win32" not in marker}


def test_the_stages_that_are_shipped_run_nothing_so_that_any_machine_builds_them() -> None:
    first, second, *shipped = re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert first.startswith(f"FROM --platform=$BUILDPLATFORM {BASE} AS build\n")
    assert second.startswith("FROM build AS build-audiences\n")
    assert "COPY --from=build " in shipped[0]
    assert not [stage for stage in shipped if re.search(r"^(RUN|ADD)\b", stage, re.MULTILINE)]
    # pip would ask the machine that builds, not the one that the image is for.
    for lock in LOCKS:
        assert "platform_machine" not in lock.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_locked_package_has_a_wheel_for_the_architecture(architecture: str, tmp_path: Path) -> None:
    [python] = re.findall(r"^python:(\d+\.\d+)-", BASE)
    machine = ARCHITECTURES[architecture]
    platforms = [tag.replace("$machine", machine) for tag in re.findall(r'--platform "(\S+)"', DOCKERFILE)]
    assert platforms
    subprocess.run(
        [ROOT / ".tools/uv/bin/python", "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps",
         "--only-binary=:all:", f"--python-version={python}", *(f"--platform={one}" for one in platforms),
         f"--dest={tmp_path}", *(f"--requirement={lock}" for lock in LOCKS)],
        check=True,
    )  # fmt: skip
    machines = set()
    for wheel in tmp_path.iterdir():
        with ZipFile(wheel) as archive:
            libraries = [name for name in archive.namelist() if re.search(r"\.so\b", name)]
            machines |= {archive.read(name)[18] for name in libraries}
    assert machines == {ELF_MACHINES[architecture]}
    assert {"-".join(wheel.name.split("-")[:2]) for wheel in tmp_path.iterdir()} == locked(*LOCKS)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_adds_the_locked_packages_and_the_forwarder_to_its_base_and_nothing_else(
    engine: Engine, image: str
) -> None:
    ours = inside(engine, image, HOME)
    assert ours["elsewhere"] == inside(engine, BASE, HOME)["elsewhere"]
    tops = {file.partition("/")[0] for file in ours["within"]}
    assert {top.removesuffix(".dist-info") for top in tops if top.endswith(".dist-info")} == locked()
    assert "headgate" in tops
    assert not tops & {"pip", "setuptools", "wheel", "aws_cdk", "constructs", "constructs_lib", "bin"}
    assert not [
        file for file in ours["within"] if file.startswith(("headgate/console/", "headgate/testing/"))
    ]
    assert ours["unreadable"] == []
    assert ours["bytecode"] == ["unchecked"]
    assert ours["machines"] == [ELF_MACHINES[str(ARCHITECTURE)]]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_is_at_most_120_mb_larger_than_its_base(engine: Engine, image: str) -> None:
    over = engine.inspect(image, "image")["Size"] - engine.inspect(BASE, "image")["Size"]
    assert 0 < over <= MOST_OVER_BASE


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("other", sorted(ARCHITECTURES.keys() - {ARCHITECTURE}))
def test_the_stage_that_runs_runs_here_and_fetches_what_runs_on_the_other_architecture(
    engine: Engine, context: Path, other: str, tmp_path: Path
) -> None:
    stage = "headgate-build:test"
    engine.build(context, stage, tmp_path, f"--platform=linux/{other}", "--target=build")
    fetched = inside(engine, stage, "/packages")
    assert fetched["machines"] == [ELF_MACHINES[other]]
    assert fetched["bytecode"] == ["unchecked"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_it_says_of_itself_is_what_a_task_definition_relies_on(engine: Engine, image: str) -> None:
    inspected = engine.inspect(image, "image")
    config = inspected["Config"]
    assert config["User"] == "65532:65532"
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert config["Entrypoint"] == ["python3", "-m", "headgate"]
    check = config.get("Healthcheck") or inspected["Healthcheck"]  # as Docker has it, or Podman
    assert check["Test"] == ["CMD", "python3", "-m", "headgate.health"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_with_no_arguments_and_no_rights_it_serves_where_its_health_check_asks_until_it_drains(
    engine: Engine, image: str, kinesis: FakeKinesis, tmp_path: Path
) -> None:
    (tmp_path / "sources.toml").write_text(as_toml([add_source(kinesis, "plain")]), encoding="utf-8")
    with engine.container(image, settings=tmp_path, options=["--network=none"]) as container:
        container.wait_until(lambda: not container.health())
        status = dict(
            line.split(":\t", 1) for line in container.execute("cat", "/proc/1/status").stdout.splitlines()
        )
        assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"65532"}
        assert {int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
        assert status["NoNewPrivs"] == "1"
        for directory in ("/", "/tmp", "/var/tmp", "/run", HOME):
            tried = container.execute("python3", "-c", f"open('{directory}/written', 'w')")
            assert tried.returncode == 1, directory
            assert re.search(r"Read-only file system|Permission denied", tried.stderr), directory
        engine("kill", "--signal=TERM", container.name)
        draining = "headgate.health: http://127.0.0.1:8080/healthz: answered 503\n"
        container.wait_until(lambda: container.health() == draining)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_it_delivers_and_a_stop_drains_it(
    engine: Engine, image: str, kinesis: FakeKinesis, tmp_path: Path
) -> None:
    """As behind a load balancer: once `/healthz` says that it stops, nobody comes any more."""
    source = add_source(kinesis, "drained")
    kinesis.faults.add(FailRecords("InternalFailure", probability=0.05))
    (tmp_path / "sources.toml").write_text(as_toml([source]), encoding="utf-8")
    port, elsewhere = str(free_port()), asyncio.Event()

    async def work(client: Client) -> None:
        while not elsewhere.is_set():
            told = await client.post(client.request(events_per_user=3))
            assert told.status == 200

    with engine.container(
        image,
        *("serve", "--sources", "/etc/headgate/sources.toml", "--port", port, "--status-port", "-1"),
        *("--workers", "2", "--drain", "3"),
        settings=tmp_path,
        options=["--network=host"],
        environment=kinesis.environment(),
    ) as container:
        container.wait_until(lambda: not container.health(port))
        async with connections() as http:
            url, users = f"http://127.0.0.1:{port}", users_of(source, 16)
            clients = [Client(http, url, source, [user]) for user in users]
            working = [asyncio.create_task(work(client)) for client in clients]
            await eventually(lambda: all(client.answers[200] > 5 for client in clients))
            before = sum(client.answers[200] for client in clients)
            stopping = asyncio.create_task(asyncio.to_thread(engine, "stop", "-t", "30", container.name))
            while (await answered(http, f"{url}/healthz")) != 503:
                await asyncio.sleep(0.05)
            elsewhere.set()
            await asyncio.gather(*working)
            assert sum(client.answers[200] for client in clients) > before
            await stopping
        assert container.state()["ExitCode"] == 0, container.log()
    everything_arrived(kinesis.ledger, stream_of(source), clients)
    order_kept(kinesis.ledger, stream_of(source))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_image_with_audiences_is_the_forwarder_s_and_one_package(
    engine: Engine, image: str, with_audiences: str
) -> None:
    layers = [engine.inspect(one, "image")["RootFS"]["Layers"] for one in (image, with_audiences)]
    assert layers[1][: len(layers[0])] == layers[0]
    ours = inside(engine, with_audiences, HOME)
    assert {name.split("/")[0] for name in ours["within"] if ".dist-info/" in name} == {
        f"{one}.dist-info" for one in locked(*LOCKS)
    }
    assert (ours["bytecode"], ours["unreadable"]) == (["unchecked"], [])


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_image_with_audiences_compares_more_than_memory_holds_with_one_place_to_write_to(
    engine: Engine, with_audiences: str, tmp_path: Path
) -> None:
    config = engine.inspect(with_audiences, "image")["Config"]
    assert (config["User"], list(config["Volumes"])) == ("65532:65532", ["/tmp"])
    options = ["--network=none", "--entrypoint=python3"]
    with engine.container(with_audiences, "-c", SPILL, settings=tmp_path, options=options) as container:
        engine("wait", container.name)
        told = json.loads(container.log())
    assert told["different"] == 600_000
    assert told["spilled"] > 0
    assert set(told["refused"]) == {"/", "/var/tmp", "/run", HOME}
