using Lm.Agent.Settings;

namespace Lm.Agent.Upload;

/// <summary>A collector with the settings to reach it; swapped whole by a reload.</summary>
/// <remarks>A replaced endpoint is disposed once the request that uses it has ended.</remarks>
internal sealed class UploadEndpoint(AgentSettings settings, IUploadClient client)
{
    private readonly Lock gate = new(); // guards inUse and isRetired
    private int inUse;
    private bool isRetired;

    public AgentSettings Settings { get; } = settings;

    public string AgentId => Settings.AgentId;

    public Uri Url => Settings.IngestUrl;

    public async Task<UploadAnswer> SendAsync(UploadRequest request, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (isRetired)
            {
                return new UploadAnswer.Failed("the settings were replaced", NeedsPerson: false);
            }

            inUse++;
        }

        try
        {
            return await client.SendAsync(request, cancellationToken);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>No further request goes this way.</summary>
    public void Retire()
    {
        lock (gate)
        {
            if (isRetired)
            {
                return;
            }

            isRetired = true;
            if (inUse > 0)
            {
                return;
            }
        }

        DisposeParts();
    }

    private void Release()
    {
        lock (gate)
        {
            if (--inUse > 0 || !isRetired)
            {
                return;
            }
        }

        DisposeParts();
    }

    private void DisposeParts()
    {
        client.Dispose();
        Settings.Tls.Dispose();
    }
}
