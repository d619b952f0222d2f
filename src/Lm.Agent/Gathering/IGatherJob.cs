namespace Lm.Agent.Gathering;

/// <summary>Something that blocks the thread it runs on and gives samples: a command, a plug-in, a directory of text files.</summary>
internal interface IGatherJob
{
    /// <summary>What it is, for people: <c>command "disks"</c>.</summary>
    string Name { get; }

    /// <summary>Time between two runs.</summary>
    TimeSpan Interval { get; }

    /// <summary>Where it leaves what it gives.</summary>
    HarvestOutlet Outlet { get; }

    /// <summary>Runs once. Never throws for what the world does.</summary>
    /// <param name="stopping">Ends it at once.</param>
    /// <returns>What went wrong; empty for nothing.</returns>
    string Run(CancellationToken stopping);
}
