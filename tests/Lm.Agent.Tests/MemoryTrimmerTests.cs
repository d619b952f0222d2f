namespace Lm.Agent.Tests;

public sealed class MemoryTrimmerTests
{
    [Fact]
    public void Only_mappings_of_files_that_nothing_ever_wrote_are_given_back()
    {
        string[] smaps =
        [
            "1000-3000 r-xp 00000000 08:01 11 /usr/bin/lm-agent", "Rss: 8 kB", "Anonymous:             0 kB",
            "3000-4000 r--p 00000000 08:01 11 /usr/bin/lm-agent", "Anonymous:             4 kB",
            "4000-5000 rw-p 00000000 08:01 11 /usr/bin/lm-agent", "Anonymous:             0 kB",
            "5000-6000 r--p 00000000 00:00 0", "Anonymous:             0 kB",
            "6000-7000 r--s 00000000 08:01 12 /var/shared", "Anonymous:             0 kB",
            "7000-7800 r--p 00000000 08:01 13 /usr/lib/x.so", "AnonHugePages: 0 kB", "Anonymous:             0 kB",
        ];

        Assert.Equal([(0x1000, 0x2000), (0x7000, 0x800)], MemoryTrimmer.FindClean(smaps).Select(found => ((int)found.Start, (int)found.Length)));
    }
}
