using Lm.ObjectStore;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>A store, and a network before it in which requests wait until a schedule says what becomes of them. Everything runs on the thread of whoever steps.</summary>
internal sealed class SimulatedNetwork
{
    private readonly List<Call> calls = [];
    private readonly List<Call> open = []; // of one step
    private readonly HashSet<object> gone = [];

    public SortedDictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether requests fail, get lost and come late.</summary>
    public bool IsCalm { get; set; }

    public IReadOnlyList<Call> Calls => calls;

    public IObjectStore Connect(object client) => new Client(this, client);

    /// <summary>Lets something happen to one of the requests of clients that run.</summary>
    /// <returns>False when there is none.</returns>
    public bool Step(Random random, Func<object, bool> isPaused)
    {
        open.Clear();
        foreach (var each in calls)
        {
            if (!each.IsDone || !isPaused(each.Client))
            {
                open.Add(each);
            }
        }

        if (open.Count == 0)
        {
            return false;
        }

        var call = open[random.Next(open.Count)];
        var isWaiting = !call.IsAnswered && !isPaused(call.Client);
        var luck = IsCalm ? 99 : random.Next(100);
        if (!call.IsDone && isWaiting && luck < 12)
        {
            Fail(call, random, luck);
        }
        else if (!call.IsDone)
        {
            call.Do();
            if (isWaiting && luck < 20)
            {
                call.Fail(random);
            }
        }
        else if (isWaiting)
        {
            call.Answer(!IsCalm && random.Next(20) == 0);
        }

        if (call.IsDone && call.IsAnswered)
        {
            calls.Remove(call);
        }

        return true;
    }

    /// <summary>A client is gone: nobody hears its answers, and what it asked may still be done.</summary>
    public void Forget(object client, Random random)
    {
        gone.Add(client);
        foreach (var call in calls.Where(call => call.Client == client).ToArray())
        {
            call.Abandon();
            if (call.IsDone || random.Next(2) == 0)
            {
                calls.Remove(call);
            }
        }
    }

    /// <summary>Requests that nobody waits for any more do not live for hours.</summary>
    public void DropStrays(Random random)
    {
        foreach (var call in calls.Where(static call => call.IsAnswered).ToArray())
        {
            if (random.Next(2) == 0)
            {
                call.Do();
            }

            calls.Remove(call);
        }
    }

    // It never arrives; or it arrives after its sender has given up.
    private void Fail(Call call, Random random, int luck)
    {
        call.Fail(random);
        if (luck < 8 || !call.Changes)
        {
            calls.Remove(call);
        }
    }

    internal abstract class Call(object client, bool changes)
    {
        public object Client { get; } = client;

        public bool Changes { get; } = changes;

        public bool IsDone { get; protected set; }

        public bool IsAnswered { get; protected set; }

        public abstract void Do();

        public abstract void Answer(bool isRepeat);

        public abstract void Fail(Random random);

        public void Abandon() => IsAnswered = true;
    }

    // Continuations run on the thread of whoever answers: that is what makes a schedule deterministic.
    private sealed class Call<T>(object client, bool changes, Func<T> work, Func<T, T> repeated) : Call(client, changes)
    {
        private readonly TaskCompletionSource<T> source = new();
        private T result = default!;

        public Task<T> Task => source.Task;

        public override void Do() => (result, IsDone) = (work(), true);

        public override void Answer(bool isRepeat)
        {
            IsAnswered = true;
            source.SetResult(isRepeat ? repeated(result) : result);
        }

        public override void Fail(Random random)
        {
            IsAnswered = true;
            ObjectStoreFault[] faults = [ObjectStoreFault.TimedOut, ObjectStoreFault.Conflict, ObjectStoreFault.Failed, ObjectStoreFault.Unreachable, ObjectStoreFault.Busy, ObjectStoreFault.Cut];
            source.SetException(new ObjectStoreException(faults[random.Next(faults.Length)], "the simulated store failed", cause: null));
        }
    }

    private sealed class Client(SimulatedNetwork network, object owner) : IObjectStore
    {
        public string Description => "simulated store";

        public Task<PutOutcome> PutAsync(string key, ObjectContent content, PutCondition condition, CancellationToken cancellationToken)
        {
            var bytes = new byte[content.Length];
            content.Read(0, bytes);
            return Ask(true, () => Put(key, bytes, condition), outcome => condition == PutCondition.IfAbsent ? PutOutcome.AlreadyThere : outcome); // a try whose answer was lost, and the next one of the same put
        }

        public Task<ObjectRange?> ReadAsync(string key, long offset, Memory<byte> buffer, CancellationToken cancellationToken) => Ask(false, () => Read(key, offset, buffer));

        public Task<ObjectInfo?> FindAsync(string key, CancellationToken cancellationToken) =>
            Ask(false, () => network.Objects.TryGetValue(key, out var bytes) ? new ObjectInfo(key, bytes.Length) : null);

        public Task<ObjectPage> ListAsync(string prefix, string after, int limit, CancellationToken cancellationToken) => Ask(false, () =>
        {
            var found = network.Objects.Where(each => each.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(each.Key, after) > 0).Take(4)
                .Select(static each => new ObjectInfo(each.Key, each.Value.Length)).ToArray();
            return new ObjectPage(found, found.Length == 4);
        });

        public Task DeleteAsync(string key, CancellationToken cancellationToken) => Ask(true, () => network.Objects.Remove(key));

        public void Dispose()
        {
            // Nothing is held.
        }

        private PutOutcome Put(string key, byte[] bytes, PutCondition condition)
        {
            if (condition == PutCondition.IfAbsent && network.Objects.ContainsKey(key))
            {
                return PutOutcome.AlreadyThere;
            }

            network.Objects[key] = bytes;
            return PutOutcome.Stored;
        }

        private ObjectRange? Read(string key, long offset, Memory<byte> buffer)
        {
            if (!network.Objects.TryGetValue(key, out var bytes))
            {
                return null;
            }

            var count = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsMemory((int)Math.Min(offset, bytes.Length), count).CopyTo(buffer);
            return new ObjectRange(count, bytes.Length);
        }

        private Task<T> Ask<T>(bool changes, Func<T> work, Func<T, T>? repeated = null)
        {
            var call = new Call<T>(owner, changes, work, repeated ?? (static result => result));
            if (!network.gone.Contains(owner))
            {
                network.calls.Add(call); // else it ended while it waited for its clock
            }

            return call.Task;
        }
    }
}
