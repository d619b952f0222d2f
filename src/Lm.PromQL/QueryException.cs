namespace Lm.PromQL;

/// <summary>A query that has no answer. The message is worded as Prometheus words it: tools look for it.</summary>
public sealed class QueryException : Exception
{
    /// <summary>Makes one.</summary>
    public QueryException(QueryFault fault, string message)
        : base(message) => Fault = fault;

    /// <summary>Makes one that another exception led to.</summary>
    public QueryException(QueryFault fault, string message, Exception innerException)
        : base(message, innerException) => Fault = fault;

    /// <summary>Which kind.</summary>
    public QueryFault Fault { get; }

    internal static QueryException Execution(string message) => new(QueryFault.Execution, message);
}

/// <summary>Why a query has no answer.</summary>
public enum QueryFault
{
    /// <summary>The expression cannot be evaluated over these data.</summary>
    Execution,

    /// <summary>It took longer than <see cref="QueryEngineOptions.Timeout"/>.</summary>
    Timeout,

    /// <summary>The caller gave up.</summary>
    Canceled,

    /// <summary>It would hold more than <see cref="QueryEngineOptions.SamplesMax"/> samples.</summary>
    TooManySamples,
}
