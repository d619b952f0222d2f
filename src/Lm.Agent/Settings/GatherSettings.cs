using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Lm.Agent.Gathering;
using Lm.Protocol;

namespace Lm.Agent.Settings;

/// <summary>What is gathered from outside the agent: <c>[[scrapes]]</c>, <c>[[commands]]</c>, <c>[[plugins]]</c>, <c>[textfile]</c>.</summary>
internal sealed record GatherSettings
{
    /// <summary><c>[[scrapes]]</c>.</summary>
    public IReadOnlyList<ScrapeSettings> Scrapes { get; init; } = [];

    /// <summary><c>[[commands]]</c>.</summary>
    public IReadOnlyList<CommandSettings> Commands { get; init; } = [];

    /// <summary><c>[[plugins]]</c>.</summary>
    public IReadOnlyList<PluginSettings> Plugins { get; init; } = [];

    /// <summary><c>[textfile]</c>; null where it is not there.</summary>
    public TextFolderSettings? Text { get; init; }

    /// <summary>Whether there is nothing to gather.</summary>
    public bool IsEmpty => Scrapes.Count == 0 && Commands.Count == 0 && Plugins.Count == 0 && Text is null;

    /// <summary>The longest time between two readings of one target; 0 where there is nothing to gather.</summary>
    public TimeSpan IntervalMax
    {
        get
        {
            var longest = Text?.Interval ?? TimeSpan.Zero;
            foreach (var scrape in Scrapes)
            {
                longest = scrape.Interval > longest ? scrape.Interval : longest;
            }

            foreach (var program in Commands.Select(each => each.Program).Concat(Plugins.Select(each => each.Program)))
            {
                longest = program.Interval > longest ? program.Interval : longest;
            }

            return longest;
        }
    }
}

/// <summary>One <c>[[scrapes]]</c>.</summary>
/// <param name="Name">The value of the label <c>scrape</c>.</param>
/// <param name="Url">Where; http or https.</param>
internal sealed record ScrapeSettings(string Name, Uri Url)
{
    /// <summary>Time between two scrapes.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>How long one may take, connection included.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Bytes of the answer's body.</summary>
    public required int BodyBytesMax { get; init; }

    /// <summary>Rules, own labels and the cap on samples.</summary>
    public required SeriesRules Rules { get; init; }

    /// <summary>The bearer token; null for none.</summary>
    public Secret? Token { get; init; }

    /// <summary>The CAs of an https target, the only ones trusted then; null for the system's.</summary>
    public X509Certificate2Collection? Roots { get; init; }
}

/// <summary>A program to run: what commands and plug-ins have in common.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="Arguments">What follows its name.</param>
internal sealed record ProgramSettings(string Path, IReadOnlyList<string> Arguments)
{
    /// <summary>Time between two runs.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>After this it is killed, with everything that it started.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Bytes of its output; beyond them it is killed.</summary>
    public required int OutputBytesMax { get; init; }

    /// <summary>Where it runs.</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>Its whole environment, lines as <c>LC_ALL=C</c>.</summary>
    public required IReadOnlyList<string> Environment { get; init; }
}

/// <summary>One <c>[[commands]]</c>.</summary>
/// <param name="Name">The value of the label <c>command</c>.</param>
/// <param name="Program">What runs, and how.</param>
internal sealed record CommandSettings(string Name, ProgramSettings Program)
{
    /// <summary>Whether its output becomes a log record.</summary>
    public required bool IsRecorded { get; init; }

    /// <summary>Values that are cut from its output.</summary>
    public required IReadOnlyList<CommandVariable> Variables { get; init; }
}

/// <summary>One value of a command's output.</summary>
/// <param name="Name">The value of the label <c>variable</c>.</param>
/// <param name="Metric">The metric's name.</param>
/// <param name="Type">The metric's type.</param>
/// <param name="Cut">Where it stands.</param>
internal sealed record CommandVariable(string Name, string Metric, MetricType Type, ValueCut Cut);

/// <summary>Where in a command's output a value stands.</summary>
internal abstract record ValueCut
{
    private ValueCut()
    {
    }

    /// <summary>What a group of the first match of a regular expression catches.</summary>
    /// <param name="Pattern">Linear in the output's length; <c>^</c> and <c>$</c> are a line's.</param>
    /// <param name="Group">0 for the whole match.</param>
    public sealed record ByPattern(Regex Pattern, int Group) : ValueCut;

    /// <summary>A cell of a table.</summary>
    /// <param name="Row">From 1; from -1 counted from the end; 0 where <paramref name="RowPattern"/> tells.</param>
    /// <param name="RowPattern">The first row that matches it.</param>
    /// <param name="Column">From 1; from -1 counted from the end.</param>
    /// <param name="RowDelimiter">Stands between rows.</param>
    /// <param name="ColumnDelimiter">Stands between columns; empty cells at a row's ends do not count.</param>
    public sealed record ByCell(int Row, Regex? RowPattern, int Column, string RowDelimiter, Regex ColumnDelimiter) : ValueCut;

    /// <summary>A place in JSON.</summary>
    /// <param name="Steps">Keys as texts, positions in arrays as numbers from 0.</param>
    public sealed record ByJson(IReadOnlyList<JsonStep> Steps) : ValueCut;
}

/// <summary>One step of a path in JSON.</summary>
/// <param name="Key">A member's name; null where <paramref name="Index"/> tells.</param>
/// <param name="Index">A position in an array, from 0.</param>
internal readonly record struct JsonStep(string? Key, int Index);

/// <summary>One <c>[[plugins]]</c>.</summary>
/// <param name="Name">The value of the label <c>plugin</c>.</param>
/// <param name="Program">What runs, and how.</param>
internal sealed record PluginSettings(string Name, ProgramSettings Program)
{
    /// <summary>The SHA-256 that the program must have; null where it must be signed.</summary>
    public byte[]? Sha256 { get; init; }

    /// <summary>The key that its signature must be of; null where its SHA-256 is given.</summary>
    public ECDsa? PublicKey { get; init; }

    /// <summary>The file of its signature, DER.</summary>
    public string SignatureFile { get; init; } = "";

    /// <summary>Own labels and the cap on samples.</summary>
    public required SeriesRules Rules { get; init; }
}

/// <summary><c>[textfile]</c>.</summary>
/// <param name="Directory">Where the files are.</param>
internal sealed record TextFolderSettings(string Directory)
{
    /// <summary>Time between two looks.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Bytes of one file.</summary>
    public required int FileBytesMax { get; init; }

    /// <summary>Samples of all files together.</summary>
    public required int SamplesMax { get; init; }
}
