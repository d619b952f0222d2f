using System.Text;
using Lm.Platform;

namespace Lm.Logs.Query.Pipeline;

/// <summary>A condition on labels at work.</summary>
internal interface ILabelTest
{
    /// <summary>Whether it holds; an amount that cannot be read notes an error and holds.</summary>
    bool Holds(LineContext context);
}

/// <summary>Makes conditions work.</summary>
internal static class LabelTests
{
    /// <summary>Of any condition.</summary>
    public static ILabelTest Of(LabelCondition condition) => condition switch
    {
        TextCondition text => new TextTest(text),
        QuantityCondition quantity => new QuantityTest(quantity),
        AddressCondition address => new AddressTest(address),
        BothConditions both => new BothTest(Of(both.Left), Of(both.Right)),
        EitherCondition either => new EitherTest(Of(either.Left), Of(either.Right)),
        _ => throw new ArgumentOutOfRangeException(nameof(condition)),
    };

    private sealed class BothTest(ILabelTest left, ILabelTest right) : ILabelTest
    {
        public bool Holds(LineContext context) => left.Holds(context) && right.Holds(context);
    }

    private sealed class EitherTest(ILabelTest left, ILabelTest right) : ILabelTest
    {
        public bool Holds(LineContext context) => left.Holds(context) || right.Holds(context);
    }
}

/// <summary><c>level="error"</c> at work.</summary>
internal sealed class TextTest : ILabelTest
{
    private readonly string label;
    private readonly TextComparison comparison;
    private readonly byte[] value;
    private readonly AnchoredRegex? regex;

    // The same values come again and again: their answers are kept, and no text is made of them.
    private readonly Dictionary<byte[], bool> answers = new(Utf8Comparer.Instance);
    private readonly Dictionary<byte[], bool>.AlternateLookup<ReadOnlySpan<byte>> known;

    public TextTest(TextCondition condition)
    {
        (label, comparison) = (condition.Label, condition.Comparison);
        value = Encoding.UTF8.GetBytes(condition.Value);
        known = answers.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (comparison >= TextComparison.Match)
        {
            regex = AnchoredRegex.TryParse(condition.Value, out var parsed, out var fault) ? parsed : throw new ArgumentException(fault, nameof(condition));
        }
    }

    public bool Holds(LineContext context)
    {
        var actual = context.Labels.ValueOf(label);
        return comparison switch
        {
            TextComparison.Equal => actual.SequenceEqual(value),
            TextComparison.NotEqual => !actual.SequenceEqual(value),
            TextComparison.Match => IsMatch(actual),
            _ => !IsMatch(actual),
        };
    }

    private bool IsMatch(ReadOnlySpan<byte> actual)
    {
        const int answersMax = 1024;
        const int bytesMax = 256;
        if (known.TryGetValue(actual, out var answer))
        {
            return answer;
        }

        answer = regex!.IsMatch(Encoding.UTF8.GetString(actual));
        if (actual.Length <= bytesMax)
        {
            if (answers.Count == answersMax)
            {
                answers.Clear();
            }

            answers[actual.ToArray()] = answer;
        }

        return answer;
    }
}

/// <summary><c>addr=ip("10.0.0.0/8")</c> at work.</summary>
internal sealed class AddressTest(AddressCondition condition) : ILabelTest
{
    private readonly AddressRange range = ContainsStep.RangeOf(condition.Addresses);

    public bool Holds(LineContext context)
    {
        var found = context.Labels.Find(condition.Label);
        if (found < 0)
        {
            return context.Labels.Find(LabelNames.Error) >= 0; // where parsing failed the label may be missing for that; __error__="" takes such lines out
        }

        return range.IsIn(context.Labels[found].Value) != condition.IsNegative;
    }
}

/// <summary><c>status &gt;= 500</c> at work.</summary>
internal sealed class QuantityTest(QuantityCondition condition) : ILabelTest
{
    /// <summary>The error of lines whose label is no amount of the kind.</summary>
    public const string Error = "LabelFilterErr";

    public bool Holds(LineContext context)
    {
        var found = context.Labels.Find(condition.Label);
        if (found < 0)
        {
            return false;
        }

        var text = context.Labels[found].Value;
        if (!TryRead(condition.Kind, text, out var amount))
        {
            if (context.Labels.Find(LabelNames.Error) >= 0)
            {
                return true; // what went wrong before tells more
            }

            context.Labels.SetError(Error, $"{condition.Label} is no {condition.Kind.ToString().ToLowerInvariant()}: {Encoding.UTF8.GetString(text[..Math.Min(64, text.Length)])}");
            return true;
        }

        return condition.Comparison switch
        {
            BinaryOperation.Equal => amount == condition.Value,
            BinaryOperation.NotEqual => amount != condition.Value,
            BinaryOperation.Greater => amount > condition.Value,
            BinaryOperation.GreaterOrEqual => amount >= condition.Value,
            BinaryOperation.Less => amount < condition.Value,
            _ => amount <= condition.Value,
        };
    }

    /// <summary>Reads an amount of a kind.</summary>
    public static bool TryRead(QuantityKind kind, ReadOnlySpan<byte> text, out double amount) => kind switch
    {
        QuantityKind.Duration => Quantity.TryDuration(text, out amount),
        QuantityKind.Bytes => Quantity.TryBytes(text, out amount),
        _ => Quantity.TryNumber(text, out amount),
    };
}
