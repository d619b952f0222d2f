namespace Lm.Tsdb.Head;

/// <summary>A range of time that becomes one block.</summary>
/// <param name="From">Its first millisecond.</param>
/// <param name="Until">Its last millisecond.</param>
/// <param name="IsLate">Whether it holds late samples only: of windows that were over when the samples came.</param>
public readonly record struct HeadRange(long From, long Until, bool IsLate);
