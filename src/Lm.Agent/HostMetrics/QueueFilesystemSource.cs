using System.Runtime.InteropServices;
using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>The filesystem that holds the agent's queue: its size, and what is left of it.</summary>
/// <remarks>Source: statvfs(3). What is left is what an unprivileged user may take; blocks kept for root are not counted.</remarks>
internal sealed unsafe class QueueFilesystemSource : IMetricSource
{
    private static readonly MetricDescriptor Size = new("lmagent_queue_filesystem_size_bytes", MetricType.Gauge, "bytes",
        "Size of the filesystem that holds the agent's queue.");

    private static readonly MetricDescriptor Available = new("lmagent_queue_filesystem_avail_bytes", MetricType.Gauge, "bytes",
        "Room that an unprivileged user has on the filesystem that holds the agent's queue.");

    private readonly string directory;
    private readonly byte[] path;

    /// <summary>Asks for the filesystem of a folder.</summary>
    /// <param name="directory">The folder; it may come into being later.</param>
    public QueueFilesystemSource(string directory)
    {
        this.directory = directory;
        path = Encoding.UTF8.GetBytes(directory + '\0');
    }

    /// <inheritdoc/>
    public string Name => "queue_filesystem";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        Libc.StatVfsResult result;
        int status;
        fixed (byte* name = path)
        {
            do
            {
                status = Libc.StatVfs(name, &result);
            }
            while (status != 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);
        }

        if (status != 0)
        {
            return SourceOutcome.Unreadable(directory, Marshal.GetLastPInvokeError());
        }

        sink.Add(Size, [], result.Blocks * (double)result.FragmentBytes);
        sink.Add(Available, [], result.BlocksAvailable * (double)result.FragmentBytes);
        return SourceOutcome.Added(2);
    }
}
