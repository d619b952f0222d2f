using Amazon.Runtime;

namespace Lm.ObjectStore.S3;

/// <summary>The keys as the settings have them at each request: a reload replaces them without a restart.</summary>
internal sealed class CurrentKeys(Func<S3Keys> keys) : AWSCredentials
{
    /// <inheritdoc/>
    public override ImmutableCredentials GetCredentials()
    {
        var now = keys();
        return new ImmutableCredentials(now.Id, now.Secret, token: null);
    }
}
