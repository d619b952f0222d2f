using System.Text.Json;

namespace Lm.Collector.Spool;

/// <summary>State that the spool's records brought, and that must outlive those that are deleted: a part of <see cref="StateFile"/>.</summary>
internal interface IStatePart
{
    /// <summary>Its key in the file.</summary>
    string Name { get; }

    /// <summary>Writes the state as one JSON value.</summary>
    void Write(Utf8JsonWriter json);

    /// <summary>Takes the state over, before anything is replayed.</summary>
    /// <exception cref="JsonException">It is not what <see cref="Write"/> gives.</exception>
    /// <exception cref="InvalidOperationException">A value has another type.</exception>
    /// <exception cref="KeyNotFoundException">A value is missing.</exception>
    /// <exception cref="FormatException">A number does not fit.</exception>
    void Read(JsonElement state);
}
