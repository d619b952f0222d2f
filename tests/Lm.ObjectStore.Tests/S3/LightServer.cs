namespace Lm.ObjectStore.Tests.S3;

/// <summary>A server that all tests of one kind share.</summary>
public sealed class LightServer : IDisposable
{
    private readonly string missing;

    public LightServer() => Running = S3Server.TryStart("light", 18605, ["node", "npm", "openssl", "curl"], out missing);

    internal S3Server? Running { get; }

    internal S3Server Required
    {
        get
        {
            Assert.SkipWhen(Running is null, missing);
            return Running!;
        }
    }

    public void Dispose() => Running?.Dispose();
}
