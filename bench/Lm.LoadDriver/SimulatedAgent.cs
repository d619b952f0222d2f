using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lm.Protocol;

namespace Lm.LoadDriver;

/// <summary>One simulated agent: its name, its token, and a queue id that follows from both and the run.</summary>
/// <remarks>Tokens follow from one secret, so that a table for any number of agents can be made again from the secret's file.</remarks>
internal sealed class SimulatedAgent
{
    public SimulatedAgent(string prefix, int number, string secret, string run)
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"{prefix}{number}");
        Token = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{secret}/token/{Id}")));
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{secret}/queue/{Id}/{run}"));
        Queue = new QueueId(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash));
    }

    public string Id { get; }

    public string Token { get; }

    public QueueId Queue { get; }

    public static SimulatedAgent[] Make(string prefix, int count, string secretFile, string run)
    {
        var secret = File.ReadAllText(secretFile).Trim();
        if (secret.Length < 16)
        {
            throw new UsageException($"{secretFile}: the secret has {secret.Length} characters, at least 16 are needed");
        }

        return [.. Enumerable.Range(0, count).Select(number => new SimulatedAgent(prefix, number, secret, run))];
    }

    /// <summary>The collector's token table for these agents.</summary>
    public static string TokenTable(IEnumerable<SimulatedAgent> agents, bool remoteWrite)
    {
        var table = new StringBuilder();
        foreach (var agent in agents)
        {
            table.Append(CultureInfo.InvariantCulture, $"[[tokens]]\nagent_id = \"{agent.Id}\"\ntoken = \"{agent.Token}\"\nremote_write = {(remoteWrite ? "true" : "false")}\n\n");
        }

        return table.ToString();
    }
}
