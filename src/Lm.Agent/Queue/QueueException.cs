namespace Lm.Agent.Queue;

/// <summary>The queue's directory cannot be used: what is wrong and what to do.</summary>
internal sealed class QueueException(string message) : Exception(message);
