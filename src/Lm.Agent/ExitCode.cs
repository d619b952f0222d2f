namespace Lm.Agent;

/// <summary>What the program ends with; design.md section 4 has them.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Configuration or another fault.</summary>
    public const int Fault = 1;

    /// <summary>The command line was wrong.</summary>
    public const int Usage = 2;

    /// <summary>Something was refused for good (sysexits: EX_DATAERR).</summary>
    public const int Refused = 65;

    /// <summary>Data stays queued (sysexits: EX_TEMPFAIL).</summary>
    public const int StaysQueued = 75;
}
