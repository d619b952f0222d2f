namespace Lm.Agent.LogTail;

/// <summary>How a reading ended.</summary>
internal enum TailStep
{
    /// <summary>Everything that is complete was taken.</summary>
    AtLimit,

    /// <summary>The batch takes no more: go on with the next one.</summary>
    BatchFull,

    /// <summary>The file is not what it was.</summary>
    Truncated,

    /// <summary>It cannot be read.</summary>
    Unreadable,

    /// <summary>It is compressed.</summary>
    NotText,

    /// <summary>A long line was taken; there may be more.</summary>
    Again,
}
