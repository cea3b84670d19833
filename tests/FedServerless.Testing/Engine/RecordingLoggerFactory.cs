using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace FedServerless.Testing.Engine;

/// <summary>Keeps every log line with its event id.</summary>
public sealed class RecordingLoggerFactory : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(int Id, string Line)> _lines = new();

    /// <summary>The lines logged under an event id, in order.</summary>
    public IReadOnlyList<string> Lines(int eventId) => [.. _lines.Where(entry => entry.Id == eventId).Select(entry => entry.Line)];

    /// <summary>Every line, in order.</summary>
    public IReadOnlyList<string> All => [.. _lines.Select(entry => entry.Line)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        _lines.Enqueue((eventId.Id, formatter(state, exception)));
    }

    public void Dispose()
    {
    }
}
