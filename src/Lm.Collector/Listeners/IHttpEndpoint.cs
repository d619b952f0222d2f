namespace Lm.Collector.Listeners;

/// <summary>All that answers on one listener. The two listeners share nothing, so neither can answer the other's paths.</summary>
internal interface IHttpEndpoint
{
    /// <summary>Answers one request.</summary>
    Task HandleAsync(HttpContext context);
}
