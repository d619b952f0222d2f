using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Lm.Agent.Settings;
using Lm.Agent.SystemdJournal;
using Lm.Agent.Tests.LogTail;
using Lm.Platform.Processes;

namespace Lm.Agent.Tests.SystemdJournal;

/// <summary>A program that answers as journalctl does, over entries that are files of a folder: the n-th has the cursor <c>n=…</c>.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class FakeJournal : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lm-journal-").FullName;

    public FakeJournal()
    {
        Put("count", "0");
        Put("journalctl", $$"""
            #!/bin/sh
            [ "$1" != --version ] || exit 0
            dir='{{folder}}'
            i=1 follow= last=
            for a in "$@"; do
              printf '%s\n' "$a" >> "$dir/arguments"
              case "$a" in
                --after-cursor=n=*) i=$((${a#--after-cursor=n=} + 1)) ;;
                --follow) follow=1 ;;
                --lines=1) last=1 ;;
              esac
            done
            echo . >> "$dir/arguments"
            [ -e "$dir/fail" ] && { cat "$dir/fail" >&2; exit 1; }
            if [ -n "$last" ]; then
              n=$(cat "$dir/count")
              [ "$n" -eq 0 ] || cat "$dir/$n"
              exit 0
            fi
            while [ -e "$dir/$i" ] || [ -n "$follow" ]; do
              if [ -e "$dir/$i" ]; then
                cat "$dir/$i" || exit 1
                i=$((i + 1))
              else
                [ -d "$dir" ] || exit 0
                sleep 0.02
              fi
            done
            """);
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        WaitUntilItCanBeStarted();
    }

    public string Program => Path.Combine(folder, "journalctl");

    public int Count { get; private set; }

    /// <summary>What the program was started with, each time.</summary>
    public List<string[]> Starts => [.. File.ReadAllText(Path.Combine(folder, "arguments"))
        .Split("\n.\n", StringSplitOptions.RemoveEmptyEntries).Select(start => start.Split('\n', StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>From now on it fails, saying this; null: no more.</summary>
    public void Fail(string? saying)
    {
        if (saying is not null)
        {
            Put("fail", saying + "\n");
        }
        else
        {
            File.Delete(Path.Combine(folder, "fail"));
        }
    }

    public void Add(string message, params (string Name, string Value)[] fields) => Add(Encoding.UTF8.GetBytes(message), fields);

    public void Add(byte[] message, params (string Name, string Value)[] fields)
    {
        var entry = new MemoryStream();
        WriteText(entry, "__CURSOR", string.Create(CultureInfo.InvariantCulture, $"n={Count + 1}"));
        foreach (var (name, value) in fields)
        {
            WriteText(entry, name, value);
        }

        WriteBinary(entry, "MESSAGE", message);
        entry.WriteByte((byte)'\n');
        AddRaw(entry.ToArray());
    }

    /// <summary>Adds an entry as it stands in the export format.</summary>
    public void AddRaw(byte[] entry)
    {
        Count++;
        var name = Count.ToString(CultureInfo.InvariantCulture);
        using (var file = new FileStream(Path.Combine(folder, "new"), FileMode.Create))
        {
            file.Write(entry);
        }

        File.Move(Path.Combine(folder, "new"), Path.Combine(folder, name)); // whole, or not there
        Put("count", name);
    }

    public static void WriteText(Stream to, string name, string value) => to.Write(Encoding.UTF8.GetBytes($"{name}={value}\n"));

    public static void WriteBinary(Stream to, string name, ReadOnlySpan<byte> value)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)value.Length);
        to.Write(Encoding.ASCII.GetBytes(name + "\n"));
        to.Write(length);
        to.Write(value);
        to.WriteByte((byte)'\n');
    }

    /// <summary>Makes a bench read this journal.</summary>
    public JournalInputs[] SourcesOf(TailBench bench, bool follows, List<string>? troubles = null, string? program = null) =>
        [new JournalInputs(new JournalOptions(program ?? Program, ["LC_ALL=C"], follows, (input, reason) => troubles?.Add($"{input}: {reason}")), bench.Time, bench.Queue.Logger)];

    public static LogInput Input(string name = "journal", bool startAtEnd = false) => new(name, "", startAtEnd) { IsJournal = true };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // A process that another test is just starting has the file open for writing, too, until its own program takes its place: ETXTBSY.
    private void WaitUntilItCanBeStarted()
    {
        const int TextFileBusy = 26;
        int error;
        do
        {
            ChildProcess.TryStart(Program, ["--version"], [], out error)?.Dispose();
        }
        while (error == TextFileBusy);
        Assert.Equal(0, error);
    }

    private void Put(string name, string text)
    {
        using var file = new FileStream(Path.Combine(folder, name), FileMode.Create);
        file.Write(Encoding.UTF8.GetBytes(text));
    }
}
