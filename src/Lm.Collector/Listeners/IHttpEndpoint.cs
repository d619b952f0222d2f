namespace Lm.Collector.Listeners;

/// <summary>All that answers on one listener. The two listeners share nothing, so neither can answer the other's paths.</summary>
internal interface IHttpEndpoint
{
    /// <summary>Whether it never holds the thread that calls it for longer than a few milliseconds: then it is called where its connection's bytes came in.</summary>
    bool IsQuick { get; }

    /// <summary>Answers one request.</summary>
    Task HandleAsync(HttpContext context);
}
