using Microsoft.Extensions.Logging;

namespace Lm.Collector.Tests;

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLogger : ILogger
{
    private readonly Lock gate = new(); // guards events
    private readonly List<(int Id, string Message)> events = [];

    /// <summary>The messages of one event.</summary>
    public IReadOnlyList<string> Of(int id)
    {
        lock (gate)
        {
            return [.. events.Where(each => each.Id == id).Select(each => each.Message)];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (gate)
        {
            events.Add((eventId.Id, formatter(state, exception)));
        }
    }
}
