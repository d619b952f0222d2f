using System.Text;

namespace Lm.Agent.Doctor;

/// <summary>What an examination found: a line for each check, as it is made.</summary>
/// <param name="output">Gets the lines.</param>
internal sealed class Findings(Stream output)
{
    /// <summary>Checks that failed.</summary>
    public int FailureCount { get; private set; }

    /// <summary>Checks that found something to look at.</summary>
    public int WarningCount { get; private set; }

    /// <summary>It is as it should be.</summary>
    public void Ok(string check, string found) => Write("ok  ", check, found);

    /// <summary>It works, and something about it should be looked at.</summary>
    /// <param name="check">What was checked.</param>
    /// <param name="found">What was found, and what to do.</param>
    public void Warn(string check, string found)
    {
        WarningCount++;
        Write("warn", check, found);
    }

    /// <summary>It does not work.</summary>
    /// <param name="check">What was checked.</param>
    /// <param name="found">What was found, and what to do.</param>
    public void Fail(string check, string found)
    {
        FailureCount++;
        Write("FAIL", check, found);
    }

    /// <summary>It could not be checked because something before it failed.</summary>
    public void Skip(string check, string reason) => Write("skip", check, reason);

    /// <summary>The last line.</summary>
    public void Close()
    {
        var summary = FailureCount == 0 && WarningCount == 0 ? "all is well" : $"{FailureCount} failed, {WarningCount} warnings";
        output.Write(Encoding.UTF8.GetBytes(summary + "\n"));
        output.Flush();
    }

    private void Write(string verdict, string check, string found)
    {
        // Foreign text must not forge a line or steer a terminal.
        var clean = Array.ConvertAll(found.ToCharArray(), character => char.IsControl(character) ? ' ' : character);
        output.Write(Encoding.UTF8.GetBytes($"{verdict}  {check,-12} {new string(clean)}\n"));
        output.Flush();
    }
}
