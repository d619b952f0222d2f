using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Log;

/// <summary>Writes one line an event: time, level, message. No console class: its encodings and locks cost more memory than the queue.</summary>
/// <remarks>A line is one write, so that lines of two threads never mix. A stderr that is gone (closed pipe, full disk) never stops the agent.</remarks>
internal sealed class StderrLogger(Stream output, TimeProvider time, LogLevel minimum = LogLevel.Information) : ILogger
{
    // One line of a message that quotes foreign text must not fill a log.
    private const int LineCharsMax = 4096;

    private readonly Lock gate = new(); // guards output

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum && logLevel != LogLevel.None;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        var line = new StringBuilder(256);
        line.Append(time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        line.Append(' ').Append(NameOf(logLevel)).Append(' ');
        AppendOneLine(line, formatter(state, exception));
        if (exception is not null)
        {
            AppendOneLine(line.Append(" | "), exception.ToString());
        }

        line.Append('\n');
        Write(Encoding.UTF8.GetBytes(line.ToString()));
    }

    private void Write(byte[] bytes)
    {
        try
        {
            lock (gate)
            {
                output.Write(bytes);
                output.Flush();
            }
        }
        catch (IOException)
        {
            // Nobody can be told that the log is gone; the counters and the queue do not depend on it.
        }
    }

    // Foreign text (an answer's detail, a file name) must not be able to forge a line or steer a terminal.
    private static void AppendOneLine(StringBuilder line, string text)
    {
        var end = Math.Min(text.Length, LineCharsMax);
        for (var i = 0; i < end; i++)
        {
            line.Append(char.IsControl(text[i]) ? ' ' : text[i]);
        }

        if (end < text.Length)
        {
            line.Append('…');
        }
    }

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
