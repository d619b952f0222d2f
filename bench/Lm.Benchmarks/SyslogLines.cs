using System.Globalization;
using System.Text;

namespace Lm.Benchmarks;

/// <summary>Lines as a host's syslog has them: some 120 bytes each, with addresses, ports and numbers that differ from line to line.</summary>
internal sealed class SyslogLines
{
    private const int PoolSize = 200_000; // a frame has some 1,700 lines and knows nothing of others
    private const int StampLength = 15;

    private static readonly string[] Users = ["root", "admin", "deploy", "git", "postgres", "ubuntu", "oracle", "test"];

    private readonly byte[][] pool;
    private readonly byte[] stamp = new byte[StampLength];
    private readonly byte[] line = new byte[512];
    private long stamped = -1;

    public SyslogLines()
    {
        var random = new Random(1);
        pool = [.. Enumerable.Range(0, PoolSize).Select(_ => Encoding.ASCII.GetBytes($"{new string(' ', StampLength)} web1 {Message(random)}"))];
    }

    /// <summary>A line; valid until the next call.</summary>
    public ReadOnlySpan<byte> Get(long number, long time)
    {
        if (time / 1000 != stamped)
        {
            stamped = time / 1000;
            Encoding.ASCII.GetBytes(DateTime.UnixEpoch.AddSeconds(stamped).ToString("MMM dd HH:mm:ss", CultureInfo.InvariantCulture), stamp);
        }

        var from = pool[number % PoolSize];
        from.CopyTo(line.AsSpan());
        stamp.CopyTo(line.AsSpan());
        return line.AsSpan(0, from.Length);
    }

    private static string Address(Random random) => $"{(random.Next(2) == 0 ? 10 : 192)}.{random.Next(256)}.{random.Next(256)}.{random.Next(1, 255)}";

    private static string Message(Random random)
    {
        var user = Users[random.Next(Users.Length)];
        var (pid, port) = (random.Next(300, 32_768), random.Next(1024, 65_536));
        return random.Next(100) switch
        {
            < 25 => $"sshd[{pid}]: Failed password for invalid user {user} from {Address(random)} port {port} ssh2",
            < 45 => $"sshd[{pid}]: Accepted publickey for {user} from {Address(random)} port {port} ssh2: RSA SHA256:abcdEFGH",
            < 60 => $"CRON[{pid}]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
            < 75 => $"systemd[1]: Started session-{random.Next(99_999)}.scope - Session {random.Next(99_999)} of User {user}.",
            < 90 => $"nginx[812]: {Address(random)} - - \"GET /api/v1/items/{random.Next(100_000)} HTTP/1.1\" {(random.Next(5) == 0 ? 500 : 200)} {random.Next(200, 90_000)} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" rt=0.{random.Next(1000):d3}",
            _ => $"kernel: [{random.Next(999_999)}.{random.Next(1_000_000):d6}] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56 SRC={Address(random)} DST=10.0.0.5 LEN={random.Next(40, 60)} TOS=0x00 PREC=0x00 TTL={random.Next(30, 250)} ID={random.Next(65_536)} PROTO=TCP SPT={port} DPT=22 WINDOW=1024 SYN",
        };
    }
}
