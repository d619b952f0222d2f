using Lm.Logs;
using Lm.TestKit;

namespace Lm.Collector.Tests.LogRecords;

/// <summary>Log stores for tests.</summary>
internal static class LogRig
{
    /// <summary>One without a line.</summary>
    public static ILogReader Empty() =>
        LogStore.Open(new MemoryFileSystem(), new LogStoreOptions { Directory = "/logs", Incarnation = Guid.Empty }, out _);
}
