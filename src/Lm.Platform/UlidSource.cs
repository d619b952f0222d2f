using System.Security.Cryptography;

namespace Lm.Platform;

/// <summary>Makes new names, each greater than all before, whatever the clock does: their order is the order of commits.</summary>
/// <remarks>Safe for concurrent use.</remarks>
/// <param name="time">The clock.</param>
public sealed class UlidSource(TimeProvider time)
{
    private readonly Lock gate = new(); // guards last
    private Ulid last;

    /// <summary>A name greater than all that were made or seen.</summary>
    public Ulid Next()
    {
        Span<byte> random = stackalloc byte[10];
        RandomNumberGenerator.Fill(random);
        lock (gate)
        {
            var next = Ulid.Create(time.GetUtcNow().ToUnixTimeMilliseconds(), random);
            last = next.CompareTo(last) > 0 ? next : new Ulid(last.Value + 1);
            return last;
        }
    }

    /// <summary>Takes notice of a name that exists already.</summary>
    public void Saw(Ulid id)
    {
        lock (gate)
        {
            last = id.CompareTo(last) > 0 ? id : last;
        }
    }
}
