using System.Runtime.Versioning;

// File modes are part of what is tested, and the product runs on Linux alone.
[assembly: SupportedOSPlatform("linux")]
