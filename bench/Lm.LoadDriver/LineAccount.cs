using System.Globalization;

namespace Lm.LoadDriver;

/// <summary>Compares what <see cref="LineWriter"/> wrote with what <see cref="ArrivedLines"/> noted.</summary>
internal static class LineAccount
{
    /// <summary>Tells how many lines of each stream are missing, doubled or out of order.</summary>
    /// <returns>0 when none is; 3 when lines are missing and nothing else is wrong: they may still come; else 1.</returns>
    public static int Check(string writtenFile, string arrivedFile, TextWriter output)
    {
        var written = File.ReadLines(writtenFile).Select(line => line.Split(' ')).ToDictionary(line => line[0], line => Number(line[1]));
        var (lost, doubled, disordered, invented, all) = (0L, 0L, 0L, 0L, 0L);
        foreach (var stream in Read(arrivedFile).GroupBy(line => line.Stream))
        {
            // Batches come in any order; their numbers and the places of the records in them are the order in which they were read.
            var numbers = stream.OrderBy(line => line.Sequence).ThenBy(line => line.Index).Select(line => line.Number).ToList();
            var distinct = numbers.ToHashSet();
            var count = written.GetValueOrDefault(stream.Key);
            var own = (Lost: count - distinct.Count(number => number <= count), Doubled: numbers.Count - distinct.Count, Invented: distinct.Count(number => number > count));
            var wrong = numbers.Zip(numbers.Skip(1)).Count(pair => pair.Second < pair.First);
            if (own != default || wrong > 0)
            {
                output.WriteLine($"{stream.Key}: of {count} lines {own.Lost} lost, {own.Doubled} doubled, {own.Invented} invented, {wrong} out of order");
            }

            (lost, doubled, invented, disordered, all) = (lost + own.Lost, doubled + own.Doubled, invented + own.Invented, disordered + wrong, all + numbers.Count);
            written.Remove(stream.Key);
        }

        foreach (var (stream, count) in written.Where(each => each.Value > 0))
        {
            output.WriteLine($"{stream}: none of {count} lines");
            lost += count;
        }

        output.WriteLine($"{all} lines arrived: {lost} lost, {doubled} doubled, {invented} invented, {disordered} out of order");
        return doubled + disordered + invented > 0 || all == 0 ? 1 : lost > 0 ? 3 : 0;
    }

    private static IEnumerable<(string Stream, long Number, long Sequence, long Index)> Read(string file)
    {
        foreach (var line in File.ReadLines(file))
        {
            var fields = line.Split('\t');
            var body = fields[5].Split(' ');
            yield return (body[0], Number(body[1]), Number(fields[1]), Number(fields[2]));
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
