namespace Lm.Collector.Listeners;

/// <summary>All that answers on one listener. The two listeners share nothing, so neither can answer the other's paths.</summary>
internal interface IHttpEndpoint
{
    /// <summary>Whether it never holds its thread for longer than a few milliseconds: then it runs where its connection's bytes came in.</summary>
    bool IsQuick { get; }

    /// <summary>Answers one request.</summary>
    Task HandleAsync(HttpContext context);
}
