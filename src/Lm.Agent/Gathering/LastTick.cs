using Lm.Protocol;

namespace Lm.Agent.Gathering;

/// <summary>The samples of the last tick, for whoever asks for them. Begun and filled by the tick, read from anywhere.</summary>
internal sealed class LastTick
{
    private volatile Tick? current;

    /// <summary>Begins a tick.</summary>
    /// <param name="next">Gets its samples too.</param>
    public ISampleSink Begin(ISampleSink next) => new Tick(this, next);

    /// <summary>Adds the samples of the last whole tick.</summary>
    public void AddTo(ISampleSink sink)
    {
        foreach (var (metric, labels, value) in current?.Samples ?? [])
        {
            sink.Add(metric, labels, value);
        }
    }

    /// <summary>The tick that was begun with this sink is whole.</summary>
    public void End(ISampleSink tick) => current = tick as Tick ?? current;

    private sealed class Tick(LastTick owner, ISampleSink next) : ISampleSink
    {
        private readonly List<GatheredSample> samples = new(owner.current?.Samples.Count ?? 0);

        public List<GatheredSample> Samples => samples;

        public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
        {
            samples.Add(new GatheredSample(metric, labels.ToArray(), value));
            next.Add(metric, labels, value);
        }
    }
}
