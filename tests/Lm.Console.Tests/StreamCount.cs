using Microsoft.Playwright;

namespace Lm.Console.Tests;

/// <summary>Live streams that pages of a browser have open.</summary>
internal sealed class StreamCount
{
    private readonly Lock gate = new(); // guards open and Most
    private readonly HashSet<IRequest> open = [];

    public StreamCount(IBrowserContext context)
    {
        context.Request += (_, request) => Count(request, isOpen: true);
        context.RequestFinished += (_, request) => Count(request, isOpen: false);
        context.RequestFailed += (_, request) => Count(request, isOpen: false);
    }

    /// <summary>Now.</summary>
    public int Now
    {
        get
        {
            lock (gate)
            {
                return open.Count(request => !request.Frame.Page.IsClosed); // of a page that was closed nobody tells what became of its requests
            }
        }
    }

    /// <summary>At most at a time.</summary>
    public int Most { get; private set; }

    private void Count(IRequest request, bool isOpen)
    {
        lock (gate)
        {
            if (request.Url.Contains("/api/v1/live", StringComparison.Ordinal) && (isOpen ? open.Add(request) : open.Remove(request)))
            {
                Most = Math.Max(Most, open.Count(each => !each.Frame.Page.IsClosed));
            }
        }
    }
}
