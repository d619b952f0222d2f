using Lm.Platform.Files;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>What a queue is opened with.</summary>
/// <param name="Files">The file system.</param>
/// <param name="Directory">The queue's directory.</param>
/// <param name="AgentId">Whose queue it is.</param>
/// <param name="MachineId">This machine's id.</param>
/// <param name="SizeBytesMax">The size limit, bytes.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where its events go.</param>
internal sealed record DiskQueueOptions(
    IFileSystem Files, string Directory, string AgentId, UInt128 MachineId, long SizeBytesMax, TimeProvider Time, ILogger Logger);
