using System.Text;
using Lm.Collector.Ingest;
using Lm.Protocol;
using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads ingest-tokens.toml. No message shows a token.</summary>
internal static class TokenTableReader
{
    // 16 letters and digits: more than can be tried over a network.
    private const int TokenCharsWanted = 16;

    /// <summary>Reads the table.</summary>
    public static TokenTable Read(SettingsFile file, SettingsReading reading)
    {
        var root = reading.Parse(file.Bytes, file.Path).Root;
        var tokens = new TokenTable();
        foreach (var entry in root.ReadTables("tokens"))
        {
            Read(entry, tokens, file.Path, reading);
        }

        root.RefuseUnknownKeys();
        if (tokens.Count == 0)
        {
            reading.Warn($"{file.Path} has no [[tokens]]: no agent can send");
        }

        return tokens;
    }

    /// <summary>Warns of a token that can be guessed; a right token always passes, however many wrong ones came before it.</summary>
    /// <param name="token">The token.</param>
    /// <param name="whose">What the message begins with.</param>
    /// <param name="reading">Takes the warning.</param>
    public static void WarnOfShort(string token, string whose, SettingsReading reading)
    {
        if (token.Length < TokenCharsWanted)
        {
            reading.Warn($"{whose} has {token.Length} characters and may be guessed; give it {TokenCharsWanted} at least, openssl rand -hex 32 makes a good one");
        }
    }

    /// <summary>What is wrong with a token's text; null when nothing is.</summary>
    public static string? FaultOf(string token)
    {
        if (token.Length == 0)
        {
            return "is empty";
        }

        if (Encoding.UTF8.GetByteCount(token) > TokenTable.TokenBytesMax)
        {
            return $"has {Encoding.UTF8.GetByteCount(token)} bytes; at most {TokenTable.TokenBytesMax} are allowed";
        }

        // The place and no character: a token is a secret.
        var at = token.AsSpan().IndexOfAnyExceptInRange('!', '~');
        return at < 0 ? null : $"has {KindOf(token[at])} in place {at + 1}; letters, digits and signs of ASCII without spaces are allowed";
    }

    private static void Read(TomlTable entry, TokenTable tokens, string path, SettingsReading reading)
    {
        var agent = entry.ReadRequiredString("agent_id");
        var token = entry.ReadRequiredString("token");
        var remoteWrite = entry.ReadBoolean("remote_write", false);
        if (agent.Length > 0 && (agent.Length > Limits.AgentIdBytesMax || !agent.All(IsVisible)))
        {
            entry.Fault("agent_id", $"agent_id is \"{agent}\"; 1 to {Limits.AgentIdBytesMax} letters, digits and signs of ASCII without spaces are allowed");
            return;
        }

        if (agent.Length == 0 || token.Length == 0)
        {
            return; // said already
        }

        if (FaultOf(token) is { } fault)
        {
            entry.Fault("token", $"token {fault}");
            return;
        }

        if (!tokens.TryAdd(token, new TokenOwner(agent, remoteWrite), out var other))
        {
            entry.Fault("token", $"this token of agent {agent} stands in an earlier entry already, for agent {other.AgentId}; every token must be different");
            return;
        }

        WarnOfShort(token, $"{path}: the token of agent {agent}", reading);
    }

    private static string KindOf(char character) => character switch
    {
        ' ' => "a blank",
        '\n' or '\r' => "a line break",
        < ' ' or '\x7f' => "a control character",
        _ => "a character beyond ASCII",
    };

    private static bool IsVisible(char character) => character is > ' ' and < '\x7f';
}
