using System.Net;
using Amazon.Runtime;

namespace Lm.ObjectStore.S3;

/// <summary>What became of a try, told from the many exceptions of client and connection.</summary>
/// <param name="Fault">Its kind.</param>
/// <param name="Detail">What happened, without the request.</param>
internal readonly record struct S3Failure(ObjectStoreFault Fault, string Detail)
{
    /// <summary>Reads an exception of a try.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="timedOut">Whether the try's time was over.</param>
    /// <returns>Null when it is a bug or a lack of memory, which is nobody's to try again.</returns>
    public static S3Failure? Read(Exception exception, bool timedOut)
    {
        if (timedOut && exception is not AmazonServiceException { StatusCode: not 0 })
        {
            return new S3Failure(ObjectStoreFault.TimedOut, "no answer in time");
        }

        return exception switch
        {
            AmazonServiceException { StatusCode: not 0 } answer => OfAnswer(answer),
            HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => new S3Failure(ObjectStoreFault.Cut, "the answer ended early"),
            HttpRequestException or AmazonServiceException or AmazonClientException or IOException or OperationCanceledException or System.Net.Sockets.SocketException =>
                OfConnection(exception),
            _ => null,
        };
    }

    private static S3Failure OfAnswer(AmazonServiceException answer)
    {
        var fault = answer.ErrorCode switch
        {
            "SlowDown" or "RequestLimitExceeded" or "Throttling" => ObjectStoreFault.Busy,
            "NoSuchBucket" => ObjectStoreFault.NoBucket,
            "RequestTimeTooSkewed" => ObjectStoreFault.Denied,
            "RequestTimeout" => ObjectStoreFault.TimedOut,
            "BadDigest" or "XAmzContentSHA256Mismatch" or "IncompleteBody" or "XAmzContentChecksumMismatch" => ObjectStoreFault.Damaged,
            "QuotaExceeded" or "XMinioStorageFull" => ObjectStoreFault.Full,
            _ => OfStatus(answer.StatusCode),
        };
        var code = string.IsNullOrEmpty(answer.ErrorCode) ? "" : $" {answer.ErrorCode}";
        return new S3Failure(fault, $"the server answered {(int)answer.StatusCode}{code}: {answer.Message}");
    }

    private static ObjectStoreFault OfStatus(HttpStatusCode status) => status switch
    {
        HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => ObjectStoreFault.Busy,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ObjectStoreFault.Denied,
        HttpStatusCode.Conflict => ObjectStoreFault.Conflict,
        HttpStatusCode.RequestTimeout => ObjectStoreFault.TimedOut,
        HttpStatusCode.NotImplemented => ObjectStoreFault.NotSupported,
        HttpStatusCode.InsufficientStorage => ObjectStoreFault.Full,
        >= HttpStatusCode.InternalServerError => ObjectStoreFault.Failed,
        _ => ObjectStoreFault.Refused,
    };

    private static S3Failure OfConnection(Exception exception)
    {
        var cause = exception;
        while (cause.InnerException is { } inner)
        {
            cause = inner;
        }

        // The client says so only in words.
        var isAboutKeys = exception is AmazonClientException && exception.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase);
        var detail = ReferenceEquals(cause, exception) ? exception.Message : $"{exception.Message} ({cause.Message})";
        return new S3Failure(isAboutKeys ? ObjectStoreFault.Denied : ObjectStoreFault.Unreachable, detail);
    }
}
