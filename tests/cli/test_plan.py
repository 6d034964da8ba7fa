"""`headgate plan`: what it takes, what it prints, and where the load comes from."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from rich.console import Console

from headgate.cli import app
from headgate.cli import plan as command
from headgate.cli.plan import plan

WHERE = ["--events-per-second", "1000", "--average-bytes", "900"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `headgate plan` in this process, in a pipe; its exit status, its output and its errors."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headgate", "plan", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.run()
        return ended.value.code or 0, *capfd.readouterr()  # type: ignore[return-value]

    return run


def planned(run: Run, *arguments: str) -> dict[str, Any]:
    status, out, err = run(*arguments)
    assert (status, err, out.count("\n")) == (0, "", 1)
    found: dict[str, Any] = json.loads(out)
    return found


def test_in_a_pipe_it_is_the_object_that_json_asks_for(run: Run) -> None:
    found = planned(run, *WHERE, "--peak-factor", "2", "--headroom", "1.25")
    assert found == planned(run, *WHERE, "--peak-factor", "2", "--headroom", "1.25", "--json")
    assert (found["shards"], found["boundBy"], found["cheaperStream"]) == (3, "records", "provisioned")
    assert found["load"] == {
        "eventsPerSecond": 1_000,
        "averageBytes": 900,
        "peakFactor": 2,
        "headroom": 1.25,
        "consumers": 1,
        "retentionHours": 24,
        "fromStream": None,
    }
    assert found["dollarsPerMonth"] == {"provisioned": 279.18, "on demand": 527.35}
    costs = {each["component"]: each for each in found["costs"]}
    assert costs["Stream, provisioned"] == {
        "component": "Stream, provisioned",
        "dollarsPerMonth": 69.64,
        "parts": [
            {"amount": 2_190, "what": "shard hours", "dollarsEach": 0.015},
            {"amount": 2_628, "what": "million PUT units", "dollarsEach": 0.014},
        ],
    }
    assert found["crossovers"] == []
    assert (found["tasks"][0]["count"], found["tasks"][0]["vcpu"], found["tasks"][0]["memoryGb"]) == (
        2,
        0.5,
        1,
    )
    assert found["prices"]["holdHere"] is True


def test_every_total_is_the_sum_of_the_parts_that_are_shown(run: Run) -> None:
    found = planned(run, *WHERE, "--peak-factor", "40", "--retention", "30d", "--consumers", "3")
    dollars = {}
    for each in found["costs"]:
        parts = sum(part["amount"] * part["dollarsEach"] for part in each["parts"])
        assert each["dollarsPerMonth"] == pytest.approx(parts, abs=0.005)
        dollars[each["component"]] = parts
    streams = {
        "provisioned": dollars.pop("Stream, provisioned"),
        "on demand": dollars.pop("Stream, on demand"),
    }
    del dollars["NAT gateways"]
    for mode, stream in streams.items():
        assert found["dollarsPerMonth"][mode] == pytest.approx(stream + sum(dollars.values()), abs=0.005)
    assert found["cheaperStream"] == min(streams, key=streams.__getitem__)


def test_the_loads_at_which_one_overtakes_the_other_are_told(run: Run) -> None:
    found = planned(run, *WHERE, "--peak-factor", "50")
    assert found["crossovers"] == [
        {"eventsPerSecond": 80, "cheaperAbove": "on demand", "cause": "shards"},
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--events-per-second 0", "--events-per-second: 0 is not allowed; it must be a number above 0"),
        ("--events-per-second -5", "--events-per-second: -5 is not allowed; it must be a number above 0"),
        ("--events-per-second nan", "--events-per-second: nan is not allowed; it must be a number above 0"),
        ("--events-per-second inf", "--events-per-second: inf is not allowed; it must be a number above 0"),
        ("--average-bytes 0", "--average-bytes: 0 is not allowed; it must be a number above 0"),
        ("--average-bytes 1e8", "--average-bytes: 100000000 is not allowed; it must be 10,485,760 at most"),
        ("--headroom 1e300", "--headroom: 1e+300 is not allowed; it must be 1,000,000,000 at most"),
        (
            f"--consumers {10**400}",
            f"--consumers: {10**400} is not allowed; it must be 1,000,000,000 at most",
        ),
        ("--peak-factor 0.9", "--peak-factor: 0.9 is not allowed; it must be a number, 1 or more"),
        ("--headroom 0", "--headroom: 0 is not allowed; it must be a number, 1 or more"),
        ("--consumers -1", "--consumers: -1 is not allowed; it must be a whole number, 0 or more"),
        ("--retention 23h", "--retention: '23h' is not allowed; allowed: 24h to 8760h, or 1d to 365d"),
        ("--retention 8761h", "--retention: '8761h' is not allowed; allowed: 24h to 8760h, or 1d to 365d"),
        ("--retention 366d", "--retention: '366d' is not allowed; allowed: 24h to 8760h, or 1d to 365d"),
        ("--retention 1w", "--retention: '1w' is not allowed; allowed: 24h to 8760h, or 1d to 365d"),
        ("--retention 24", "--retention: '24' is not allowed; allowed: 24h to 8760h, or 1d to 365d"),
        (
            "--from-stream a/b",
            "--from-stream: 'a/b' is no stream name; allowed: 1 to 128 letters, digits and any of _ . -",
        ),
        (
            "--from-stream events",
            "no region: give --region, or set AWS_REGION or a region in the profile",
        ),
    ],
)
def test_what_cannot_be_planned_is_one_line_and_status_2(run: Run, arguments: str, said: str) -> None:
    assert run(*WHERE, *arguments.split()) == (2, "", f"headgate: {said}\n")


@pytest.mark.parametrize("given", [[], WHERE[:2], WHERE[2:], ["--peak-factor", "2"]])
def test_a_load_that_is_missing_is_asked_for(run: Run, given: list[str]) -> None:
    status, out, err = run(*given)
    assert (status, out) == (2, "")
    assert err == (
        "headgate: the load is missing: give --events-per-second and --average-bytes, "
        "or --from-stream NAME for that of a stream\n"
    )


@pytest.mark.parametrize("option", ["--events-per-second", "--average-bytes", "--peak-factor", "--consumers"])
def test_what_is_no_number_is_one_line_too(run: Run, option: str) -> None:
    status, out, err = run(*WHERE, option, "1,5")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert option in err


def test_a_number_may_be_written_as_1e3_and_a_retention_in_days(run: Run) -> None:
    found = planned(run, "--events-per-second", "1e3", "--average-bytes", "9e2", "--retention", "7d")
    assert (found["load"]["eventsPerSecond"], found["load"]["retentionHours"]) == (1_000, 168)


@pytest.fixture
def cloudwatch(run: Run) -> Any:
    """moto's CloudWatch, where `events` took 60,000 records of 800 bytes in two hours, in two minutes."""
    with mock_aws():
        client = boto3.client("cloudwatch", region_name="us-west-2")
        last = datetime.now(UTC) - timedelta(minutes=5)
        for minute, records in ((last - timedelta(minutes=115), 30_000), (last, 30_000)):
            for metric, value in (("IncomingRecords", records), ("IncomingBytes", records * 800)):
                datum = {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "StreamName", "Value": "events"}],
                    "Timestamp": minute,
                    "Value": value,
                }
                client.put_metric_data(Namespace="AWS/Kinesis", MetricData=[datum])
        yield client


def test_the_load_of_a_stream_is_its_mean_and_its_busiest_minute(run: Run, cloudwatch: Any) -> None:
    load = planned(run, "--from-stream", "events", "--region", "us-west-2")["load"]
    minutes = load["fromStream"]["minutes"]
    assert minutes == pytest.approx(120, abs=1)
    assert load["eventsPerSecond"] == pytest.approx(60_000 / minutes / 60)
    assert (load["averageBytes"], load["peakFactor"]) == (800, minutes / 2)
    assert (load["fromStream"]["stream"], load["fromStream"]["region"]) == ("events", "us-west-2")


def test_what_is_given_beside_a_stream_counts_instead(run: Run, cloudwatch: Any) -> None:
    stream = ["--from-stream", "events", "--region", "us-west-2"]
    load = planned(run, *stream, "--events-per-second", "500", "--peak-factor", "2")["load"]
    assert (load["eventsPerSecond"], load["averageBytes"], load["peakFactor"]) == (500, 800, 2)


def test_a_stream_without_data_is_one_line(run: Run, cloudwatch: Any) -> None:
    assert run("--from-stream", "evnts", "--region", "us-west-2") == (
        1,
        "",
        "headgate: CloudWatch knows of no record put into 'evnts' in us-west-2 in the last 14 days; "
        "check the name and --region, or give --events-per-second and --average-bytes\n",
    )


def test_a_refusal_of_cloudwatch_is_one_line(
    run: Run, cloudwatch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headgate.aws.cloudwatch_client", lambda _: cloudwatch)
    said = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: cloudwatch:GetMetricData"
    with Stubber(cloudwatch) as stubber:
        stubber.add_client_error("get_metric_data", "AccessDenied", said)
        assert run("--from-stream", "events") == (
            1,
            "",
            f"headgate: reading 'events' in us-west-2: AccessDenied: {said}\n",
        )


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, **options: Any) -> str:
    """What `headgate plan` prints on a terminal that is wide enough."""
    terminal = Console(width=200, record=True, highlight=False, color_system=None)
    with monkeypatch.context() as patch:
        patch.setattr(sys.stdout, "isatty", lambda: True)
        patch.setattr(command, "console", lambda: terminal)
        plan(**{"events_per_second": 140, "average_bytes": 900} | options)
    return " ".join(terminal.export_text().split())


def test_a_terminal_shows_what_bounds_the_shards_and_both_overtakings_nearest_to_the_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = on_a_terminal(monkeypatch, peak_factor=40)
    assert "records 5,600 1,000 6 bytes in 5,040,000 1,000,000 6 bytes out 5,040,000 2,000,000 3" in shown
    assert "6 shards: 6, bound by records, x 1 of headroom, rounded up" in shown
    assert (
        "The stream costs 1.25 less on demand than provisioned. Above 125 events/s it costs less on demand"
        in shown
    )
    assert "Above 144.95 events/s it costs less provisioned: there both cost 71.03." in shown
    assert (
        "Above 150 events/s it costs less on demand, for good (up to 20,000 shards): more than that" in shown
    )


def test_a_terminal_says_where_the_prices_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    here, elsewhere = (on_a_terminal(monkeypatch, region=region) for region in ("us-east-1", "eu-[west]-1"))
    assert "those of eu-[west]-1 differ" in elsewhere
    assert "differ" not in here
    assert "Prices of us-east-1 and us-west-2" in here


def test_a_terminal_says_which_stream_the_load_is_that_of(
    cloudwatch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = on_a_terminal(monkeypatch, from_stream="events", region="us-west-2")
    assert shown.startswith("events in us-west-2 since ")
