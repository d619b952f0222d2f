using System.Diagnostics;

namespace Lm.Agent.Settings;

/// <summary>A text that is never shown.</summary>
/// <param name="value">The text.</param>
[DebuggerDisplay("***")]
internal sealed class Secret(string value) : IEquatable<Secret>
{
    /// <summary>The text itself, for the one place that sends it.</summary>
    public string Reveal() => value;

    public bool Equals(Secret? other) => other is not null && string.Equals(value, other.Reveal(), StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as Secret);

    public override int GetHashCode() => value.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => "***";
}
