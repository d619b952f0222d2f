using System.Diagnostics;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Dashboards;

/// <summary>The definitions of <c>dashboards.d/</c>, embedded in the program.</summary>
internal static class BuiltinDashboards
{
    private const string Prefix = "dashboards/";

    private static readonly Lazy<IReadOnlyList<Dashboard>> V3 = new(static () => Load(PromSemantics.V3));
    private static readonly Lazy<IReadOnlyList<Dashboard>> V2 = new(static () => Load(PromSemantics.V2));

    /// <summary>All of them, by id.</summary>
    public static IReadOnlyList<Dashboard> Of(PromSemantics semantics) => semantics == PromSemantics.V2 ? V2.Value : V3.Value;

    /// <summary>Whether there is one of this id.</summary>
    public static bool Has(string id) => Of(PromSemantics.V3).Any(dashboard => dashboard.Id == id);

    private static IReadOnlyList<Dashboard> Load(PromSemantics semantics)
    {
        var assembly = typeof(BuiltinDashboards).Assembly;
        var found = new List<Dashboard>();
        foreach (var name in assembly.GetManifestResourceNames().Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var document = TomlDocument.Parse(bytes, name);
            found.Add(DashboardReader.Read(document, bytes, DashboardOrigin.Builtin, semantics) ?? throw new UnreachableException(document.Faults.All[0].ToString()));
        }

        return [.. found.OrderBy(dashboard => dashboard.Id, StringComparer.Ordinal)];
    }
}
