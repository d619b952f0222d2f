using System.Globalization;
using System.Text;
using Lm.Agent.HostMetrics.Node;
using Lm.Agent.Settings;

namespace Lm.Agent.Tests.HostMetrics.Node;

/// <summary>Network mounts whose servers are gone: statvfs(3) does not return.</summary>
public sealed class HungMountTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;
    private static readonly StatVfs Size = new(1000, 500, 400, 10, 5);

    private readonly HostTree tree = new();
    private readonly ManualResetEventSlim isBack = new();
    private int askingCount;

    public void Dispose()
    {
        isBack.Set();
        tree.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(30)]
    public async Task Whatever_number_of_servers_is_gone_ticks_go_on_and_other_mounts_have_their_sizes(int goneCount)
    {
        WriteMounts(goneCount, goodCount: 20);
        using var source = NewSource();

        // Each round hangs for good if the tick's own thread asks a server that is gone.
        RecordingSink sink = new();
        for (var tick = 0; tick < 20 && sink.Of("node_filesystem_size_bytes").Length < 21; tick++)
        {
            sink = await Task.Run(() => tree.Collect(source), Cancelled).WaitAsync(Cancelled);
        }

        Assert.Equal(21, sink.Of("node_filesystem_size_bytes").Length);
        Assert.Equal(1, sink[Series("node_filesystem_device_error", "gone0")]);
        Assert.Equal(0, sink[Series("node_filesystem_device_error", "good19")]);
        Assert.Equal(1000, sink[Series("node_filesystem_size_bytes", "good19")]);
    }

    [Fact]
    public async Task No_more_threads_hang_than_are_allowed()
    {
        WriteMounts(StatPool.HungMax + 50, goodCount: 0);
        using var source = NewSource();

        for (var tick = 0; tick < 20; tick++)
        {
            await Task.Run(() => tree.Collect(source), Cancelled).WaitAsync(Cancelled);
        }

        Assert.InRange(Volatile.Read(ref askingCount), StatPool.ThreadMax, StatPool.HungMax);
    }

    [Fact]
    public async Task A_server_that_comes_back_has_its_size_again()
    {
        WriteMounts(goneCount: 30, goodCount: 1);
        using var source = NewSource();
        Assert.Equal(1, (await Task.Run(() => tree.Collect(source), Cancelled).WaitAsync(Cancelled))[Series("node_filesystem_device_error", "gone29")]);

        isBack.Set();

        var sink = new RecordingSink();
        while (sink.Of("node_filesystem_size_bytes").Length < 32)
        {
            Cancelled.ThrowIfCancellationRequested();
            sink = tree.Collect(source);
        }

        Assert.Equal(1000, sink[Series("node_filesystem_size_bytes", "gone29")]);
    }

    [Fact]
    public async Task Mounts_that_are_taken_away_while_they_hang_have_no_series_and_are_not_asked_again()
    {
        WriteMounts(goneCount: 40, goodCount: 1);
        using var source = NewSource();
        await Task.Run(() => tree.Collect(source), Cancelled).WaitAsync(Cancelled);

        WriteMounts(goneCount: 0, goodCount: 1);
        var sink = await Task.Run(() => tree.Collect(source), Cancelled).WaitAsync(Cancelled);

        Assert.DoesNotContain(sink.Order, series => series.Contains("gone", StringComparison.Ordinal));
        Assert.InRange(Volatile.Read(ref askingCount), 0, StatPool.ThreadMax);
    }

    private static string Series(string metric, string name) => $"{metric}{{device=\"server:/{name}\",fstype=\"nfs4\",mountpoint=\"/{name}\"}}";

    private FilesystemSource NewSource() => new(tree.Roots, SourceCatalog.Defaults.Single(source => source.Name == SourceCatalog.Filesystems), Ask);

    private bool Ask(byte[] path, out StatVfs answer)
    {
        answer = Size;
        if (Encoding.UTF8.GetString(path).Contains("/gone", StringComparison.Ordinal) && !isBack.IsSet)
        {
            Interlocked.Increment(ref askingCount);
            isBack.Wait(CancellationToken.None);
        }

        return true;
    }

    private void WriteMounts(int goneCount, int goodCount)
    {
        var text = new StringBuilder("/dev/sda1 / ext4 rw 0 0\n");
        for (var i = 0; i < goneCount; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"server:/gone{i} /gone{i} nfs4 rw 0 0\n");
        }

        for (var i = 0; i < goodCount; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"server:/good{i} /good{i} nfs4 rw 0 0\n");
        }

        tree.Write("proc/1/mounts", text.ToString());
    }
}
