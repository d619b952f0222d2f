namespace Lm.Agent.HostMetrics.Node;

/// <summary>Where the host is looked at; tests move each root.</summary>
/// <param name="Proc">/proc.</param>
/// <param name="Sys">/sys.</param>
/// <param name="Files">The root folder, for <c>etc/os-release</c> and the mount points.</param>
/// <param name="Udev">Udev's notes on devices, /run/udev/data.</param>
/// <param name="Units">The kernel's units.</param>
internal sealed record HostRoots(ProcFs Proc, ProcFs Sys, ProcFs Files, ProcFs Udev, KernelUnits Units)
{
    /// <summary>Those of the running host.</summary>
    public static HostRoots OfThisHost() => new(new ProcFs(), new ProcFs("/sys"), new ProcFs(""), new ProcFs("/run/udev/data"), KernelUnits.OfThisHost());
}
