namespace Lm.Collector;

/// <summary>The program's exit codes.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>A fault of the configuration or another one.</summary>
    public const int Fault = 1;

    /// <summary>Wrong usage.</summary>
    public const int Usage = 2;
}
