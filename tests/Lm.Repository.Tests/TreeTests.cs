using System.Text.RegularExpressions;

namespace Lm.Repository.Tests;

public sealed partial class TreeTests
{
    [Fact]
    public void Scripts_have_their_run_bit()
    {
        Checkout.AssertNone(
            from file in Checkout.Tracked
            where file.Path == ".ci/run" || (file.Path.EndsWith(".sh", StringComparison.Ordinal) && Path.GetFileName(file.Path) != "lib.sh")
            where file.Mode != "100755"
            select $"{file.Path}: {file.Mode}",
            "Scripts that cannot be run:");
    }

    [Fact]
    public void No_file_names_a_registry_or_a_path_of_one_machine()
    {
        Checkout.AssertNone(
            from path in Checkout.TrackedText
            let text = Checkout.Read(path)
            from Match found in Foreign().Matches(text)
            select $"{path}: {found.Value}",
            "Registry host names and paths of one machine:");
    }

    [Fact]
    public void Every_project_has_its_lock_files()
    {
        string[] programs = ["Lm.LoadDriver"];
        Checkout.AssertNone(
            from project in Checkout.Under("", ".csproj")
            from framework in project.StartsWith("src/", StringComparison.Ordinal) || programs.Contains(Path.GetFileNameWithoutExtension(project))
                ? (string[])["net10.0", "net9.0"]
                : ["net10.0"]
            let file = $"{Path.GetDirectoryName(project)}/packages.{framework}.lock.json"
            where !Checkout.Tracked.Any(tracked => tracked.Path == file)
            select file,
            "Lock files that are missing:");
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = Checkout.Read("Lightmetrics.sln").Replace('\\', '/');

        Checkout.AssertNone(
            Checkout.Under("", ".csproj").Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)),
            "Projects that the solution does not name:");
    }

    [Fact]
    public void Test_programs_are_in_folders_that_the_test_script_finds()
    {
        Checkout.AssertNone(
            from project in Checkout.Under("tests/", ".csproj")
            let name = Path.GetFileNameWithoutExtension(project)
            where project != $"tests/{name}/{name}.csproj"
            select project,
            "Test projects outside tests/<name>/:");
    }

    // Written so that this file does not match itself.
    [GeneratedRegex(@"/wor[k]/|/roo[t]/\.|/farm[/]|\b[\w.-]*(?:nuge[t]\.org|npmj[s]\.(?:org|com)|deb\.debia[n]\.org|security\.debia[n]\.org)\b")]
    private static partial Regex Foreign();
}
