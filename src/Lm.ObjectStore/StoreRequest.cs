namespace Lm.ObjectStore;

/// <summary>What is asked of a store.</summary>
public enum StoreRequest
{
    /// <summary>Puts, parts of large ones among them.</summary>
    Put = 0,

    /// <summary>Reads of ranges.</summary>
    Get,

    /// <summary>Looks at one object.</summary>
    Head,

    /// <summary>Lists.</summary>
    List,

    /// <summary>Deletions.</summary>
    Delete,
}
