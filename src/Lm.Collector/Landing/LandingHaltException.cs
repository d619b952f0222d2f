namespace Lm.Collector.Landing;

/// <summary>The store holds what contradicts the spool: going on would overwrite or double something. A person must look.</summary>
internal sealed class LandingHaltException(string reason) : Exception(reason);
