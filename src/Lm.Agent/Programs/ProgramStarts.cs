using Lm.Agent.Settings;
using Lm.Platform.Processes;

namespace Lm.Agent.Programs;

/// <summary>Makes what is run of what the settings say.</summary>
internal static class ProgramStarts
{
    public static ProgramStart ToStart(this ProgramSettings program) => new(program.Path, program.Arguments)
    {
        Environment = program.Environment,
        WorkingDirectory = program.WorkingDirectory,
        Timeout = program.Timeout,
        OutputBytesMax = program.OutputBytesMax,
    };
}
