using Microsoft.Extensions.Logging;

namespace Lm.Agent.Tests;

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLogger : ILogger
{
    private readonly Lock gate = new(); // guards events, waiting
    private readonly List<(int Id, string Message)> events = [];
    private readonly List<(int Id, TaskCompletionSource Logged)> waiting = [];

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

    public string MessageOf(int id) => Assert.Single(Events, each => each.Id == id).Message;

    /// <summary>Returns once such an event was logged.</summary>
    public Task WaitForAsync(int id, CancellationToken cancellationToken)
    {
        var logged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            if (events.Exists(each => each.Id == id))
            {
                return Task.CompletedTask;
            }

            waiting.Add((id, logged));
        }

        return logged.Task.WaitAsync(cancellationToken);
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (gate)
        {
            events.Add((eventId.Id, formatter(state, exception)));
            foreach (var waiter in waiting.Where(waiter => waiter.Id == eventId.Id))
            {
                waiter.Logged.TrySetResult();
            }
        }
    }
}
