"""What every test shares."""

import os
from collections.abc import Generator

import pytest

# Validation costs seconds a process (facts in docs/architecture.md); one test turns it on for itself. The
# variable counts only when it is set before aws_cdk is first imported.
os.environ["CDK_VALIDATION"] = "false"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where HEADGATE_REQUIRE_ALL is set, a skipped test is a failed one: nothing is left out unseen."""
    report = yield
    if report.skipped and os.environ.get("HEADGATE_REQUIRE_ALL"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (HEADGATE_REQUIRE_ALL is set, so nothing may be skipped)"
    return report
