using Lm.Agent.Upload;

namespace Lm.Agent.Tests.Upload;

public sealed class FailureKindTests
{
    [Theory]
    [InlineData(408, "", FailureKind.Passing)]
    [InlineData(429, "rate", FailureKind.Passing)]
    [InlineData(429, "", FailureKind.Passing)]
    [InlineData(500, "", FailureKind.Passing)]
    [InlineData(502, "", FailureKind.Passing)]
    [InlineData(503, "spool_full", FailureKind.Passing)]
    [InlineData(503, "clock_suspect", FailureKind.Passing)]
    [InlineData(401, "unauthorized", FailureKind.SetUp)]
    [InlineData(403, "agent_mismatch", FailureKind.SetUp)]
    [InlineData(404, "", FailureKind.SetUp)]
    [InlineData(405, "", FailureKind.SetUp)]
    [InlineData(415, "unsupported_media_type", FailureKind.SetUp)]
    [InlineData(421, "", FailureKind.SetUp)]
    [InlineData(302, "", FailureKind.SetUp)]
    [InlineData(400, "", FailureKind.SetUp)]
    [InlineData(413, "body_too_large", FailureKind.Parked)]
    [InlineData(413, "", FailureKind.Parked)]
    [InlineData(400, "limit_exceeded", FailureKind.Parked)]
    [InlineData(429, "future_timestamp", FailureKind.Parked)]
    [InlineData(429, "too_many_gaps", FailureKind.Parked)]
    [InlineData(400, "malformed_frame", FailureKind.Refused)]
    [InlineData(400, "malformed_batch", FailureKind.Refused)]
    [InlineData(400, "unsupported_temporality", FailureKind.Refused)]
    [InlineData(409, "sequence_fork", FailureKind.Fork)]
    [InlineData(409, "sequence_overlap", FailureKind.Fork)]
    public void Each_refusal_has_its_kind(int status, string code, object kind) =>
        Assert.Equal((FailureKind)kind, Failure.KindOf(status, code));
}
