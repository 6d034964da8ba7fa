"""The metrics of a stream that its owner watches, each with the statistic that means something.

CDK's own metrics of a stream are averages over five minutes; an average of failed records says little.
Kinesis publishes these each minute and at no charge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from aws_cdk import Duration

if TYPE_CHECKING:  # to load CloudWatch takes a tenth of a synth's time, and most synths make no metric
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_kinesis as kinesis


class MetricOptions(TypedDict, total=False):
    """What may be changed about a metric; see `aws_cdk.aws_cloudwatch.MetricOptions`."""

    statistic: str
    period: Duration
    label: str
    color: str


class StreamMetrics:
    """The `metric_*` methods of an event stream."""

    stream: kinesis.IStream

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Any metric of this stream in `AWS/Kinesis`, as the sum over each minute unless told otherwise."""
        options.setdefault("statistic", "Sum")
        options.setdefault("period", Duration.minutes(1))
        return self.stream.metric(metric_name, **options)

    def metric_incoming_records(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Records that writers put, by PutRecord or PutRecords."""
        return self.metric("IncomingRecords", **options)

    def metric_incoming_bytes(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Bytes that writers put."""
        return self.metric("IncomingBytes", **options)

    def metric_put_records_total_records(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Records in PutRecords calls, those that failed included."""
        return self.metric("PutRecords.TotalRecords", **options)

    def metric_put_records_successful_records(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Records that PutRecords took."""
        return self.metric("PutRecords.SuccessfulRecords", **options)

    def metric_put_records_failed_records(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Records that PutRecords refused because Kinesis failed, those that it throttled left out."""
        return self.metric("PutRecords.FailedRecords", **options)

    def metric_put_records_throttled_records(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Records that PutRecords refused because their shard was at its limit."""
        return self.metric("PutRecords.ThrottledRecords", **options)

    def metric_put_records_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Milliseconds that a PutRecords call took: p99 unless told otherwise."""
        options.setdefault("statistic", "p99")
        return self.metric("PutRecords.Latency", **options)

    def metric_write_provisioned_throughput_exceeded(
        self, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records throttled because a shard was at its limit, by PutRecord or PutRecords."""
        return self.metric("WriteProvisionedThroughputExceeded", **options)

    def metric_read_provisioned_throughput_exceeded(
        self, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """GetRecords calls throttled because a shard was at its limit."""
        return self.metric("ReadProvisionedThroughputExceeded", **options)

    def metric_get_records_iterator_age_milliseconds(
        self, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """How far readers are behind: the age of the last record read, the maximum unless told otherwise."""
        options.setdefault("statistic", "Maximum")
        return self.metric("GetRecords.IteratorAgeMilliseconds", **options)
