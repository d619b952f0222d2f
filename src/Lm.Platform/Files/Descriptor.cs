using System.Runtime.InteropServices;

namespace Lm.Platform.Files;

/// <summary>An open file descriptor; closed once nobody uses it any more, so that a number is never reused under a reader.</summary>
internal sealed class Descriptor : SafeHandle
{
    public Descriptor(int number)
        : base(-1, ownsHandle: true) => SetHandle(number);

    public override bool IsInvalid => handle < 0;

    // A failing close is not an error to report: what must be durable was synced before, and Linux has freed the number.
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
