using System.Globalization;
using Lm.Fuzz;

// Described in docs/testing.md.
const string Usage = "usage: Lm.Fuzz frames|writes [--count N] [--seed N] [--at N]";
if (args.Length == 0 || args[0] is not ("frames" or "writes") || args.Length % 2 != 1)
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var (count, seed, at) = (1_000_000L, 1L, -1L);
for (var i = 1; i < args.Length; i += 2)
{
    if (!long.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
    {
        Console.Error.WriteLine($"{args[i]} {args[i + 1]}: a whole number, not negative, is expected; {Usage}");
        return 2;
    }

    switch (args[i])
    {
        case "--count":
            count = value;
            break;
        case "--seed":
            seed = value;
            break;
        case "--at":
            at = value;
            break;
        default:
            Console.Error.WriteLine($"{args[i]} is not known; {Usage}");
            return 2;
    }
}

Func<long, long, long, int> run = args[0] == "frames" ? FrameFuzz.Run : WriteFuzz.Run;
return at >= 0 ? run(seed, at, 1) : run(seed, 0, count);
