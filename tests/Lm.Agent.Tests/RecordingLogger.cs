using Microsoft.Extensions.Logging;

namespace Lm.Agent.Tests;

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLogger : ILogger
{
    private readonly Lock gate = new(); // guards events
    private readonly List<(int Id, string Message)> events = [];

    public List<(int Id, string Message)> Events
    {
        get
        {
            lock (gate)
            {
                return [.. events];
            }
        }
    }

    public int CountOf(int id) => Events.Count(each => each.Id == id);

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
