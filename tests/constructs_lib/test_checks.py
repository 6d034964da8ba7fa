import aws_cdk as cdk
import pytest
from aws_cdk import region_info

from constructs_lib.checks import check_partition


def test_the_partition_of_every_region_is_as_cdk_knows_it() -> None:
    partitions = {info.name: info.partition for info in region_info.RegionInfo.regions if info.partition}
    assert len(set(partitions.values())) > 5
    for region, partition in partitions.items():
        stack = cdk.Stack(cdk.App(), "Test", env=cdk.Environment(region=region))
        check_partition(stack, "streams", f"arn:{partition}:kinesis:r:1:stream/s", way_out="")
        with pytest.raises(ValueError, match=f"of partition {partition}"):
            check_partition(stack, "streams", "arn:elsewhere:kinesis:r:1:stream/s", way_out="")
