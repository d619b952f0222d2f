using System.Text;
using Lm.Platform.Files;

namespace Lm.Agent.Queue;

/// <summary>Whose queue this is and on which machine it stands: what tells a copy or a restored snapshot from the original (D5).</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="MachineId">The machine id's first 16 bytes; zero when the machine has none.</param>
/// <param name="Directory">Device and inode of the queue's directory.</param>
internal sealed record QueueIdentity(string AgentId, UInt128 MachineId, FileIdentity Directory)
{
    private const string MachineIdPath = "/etc/machine-id";

    /// <summary>This machine's id as machine-id(5) has it; zero when there is none.</summary>
    public static UInt128 ReadMachineId(IFileSystem files)
    {
        var text = Encoding.ASCII.GetString(AtomicFile.Read(files, MachineIdPath, 4096) ?? []).Trim();
        return UInt128.TryParse(text, System.Globalization.NumberStyles.AllowHexSpecifier, null, out var id) ? id : UInt128.Zero;
    }

    /// <summary>What differs from <paramref name="other"/>, for people; empty when both are the same place.</summary>
    public string DifferenceFrom(QueueIdentity other)
    {
        var differences = new List<string>(3);
        if (MachineId != other.MachineId)
        {
            differences.Add("machine id");
        }

        if (Directory.Device != other.Directory.Device)
        {
            differences.Add("device");
        }

        if (Directory.Inode != other.Directory.Inode)
        {
            differences.Add("inode");
        }

        return string.Join(", ", differences);
    }
}
