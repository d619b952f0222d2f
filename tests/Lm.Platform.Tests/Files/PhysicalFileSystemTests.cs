using System.Runtime.Versioning;

using Lm.Platform.Files;

namespace Lm.Platform.Tests.Files;

[SupportedOSPlatform("linux")]
public sealed class PhysicalFileSystemTests : IDisposable
{
    private readonly PhysicalFileSystem files = new();
    private readonly string directory = Path.Combine(Path.GetTempPath(), "lm-platform-" + Guid.NewGuid().ToString("N"));

    public PhysicalFileSystemTests() => files.CreateDirectory(directory);

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Written_bytes_are_read_at_their_offsets_up_to_the_end()
    {
        using var file = files.Create(At("a"));
        file.Write(3, "bytes"u8);
        file.Sync();
        file.DropCache();
        Assert.Equal(8, file.Length);
        var buffer = new byte[20];
        Assert.Equal(8, file.Read(0, buffer));
        Assert.Equal("\0\0\0bytes"u8, buffer.AsSpan(0, 8));
        Assert.Equal(0, file.Read(8, buffer));
        file.Truncate(4);
        Assert.Equal(4, file.Length);
    }

    [Fact]
    public void Files_and_directories_are_for_their_owner_alone()
    {
        files.Create(At("a")).Dispose();
        files.CreateDirectory(At("b"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("a")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(At("b")));
    }

    [Fact]
    public void Failures_tell_the_call_the_path_and_the_reason()
    {
        var missing = Assert.Throws<FileSystemException>(() => files.Open(At("none"), writable: true));
        Assert.True(missing.IsNotFound);
        Assert.Equal($"open {At("none")}: No such file or directory", missing.Message);
        files.Create(At("a")).Dispose();
        Assert.Equal(17, Assert.Throws<FileSystemException>(() => files.Create(At("a"))).Error);
        Assert.True(Assert.Throws<FileSystemException>(() => files.Rename(At("none"), At("b"))).IsNotFound);
        Assert.True(Assert.Throws<FileSystemException>(() => files.SyncDirectory(At("none"))).IsNotFound);
        Assert.True(Assert.Throws<FileSystemException>(() => files.List(At("none"))).IsNotFound);
        using var readOnly = files.Open(At("a"), writable: false);
        Assert.Equal("pwrite", Assert.Throws<FileSystemException>(() => readOnly.Write(0, "x"u8)).Operation);
        Assert.Throws<FileSystemException>(() => readOnly.Truncate(0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_rename_to_a_free_name_leaves_what_stands_there(bool byLink)
    {
        Func<string, string, bool> rename = byLink ? files.TryLinkToFree : files.TryRenameToFree;
        Write("a", "first"u8);
        Write("b", "second"u8);

        Assert.True(rename(At("a"), At("target")));
        Assert.False(rename(At("b"), At("target")));

        Assert.Equal("first"u8.ToArray(), File.ReadAllBytes(At("target")));
        Assert.False(files.Exists(At("a")));
        Assert.True(files.Exists(At("b")));
        Assert.True(Assert.Throws<FileSystemException>(() => rename(At("none"), At("free"))).IsNotFound);

        void Write(string name, ReadOnlySpan<byte> content)
        {
            using var file = files.Create(At(name));
            file.Write(0, content);
        }
    }

    [Fact]
    public void A_full_device_is_told_as_such()
    {
        using var full = files.Open("/dev/full", writable: true);
        Assert.True(Assert.Throws<FileSystemException>(() => full.Write(0, "x"u8)).IsNoSpace);
    }

    [Fact]
    public void What_cannot_be_synced_is_an_error_and_not_a_success()
    {
        using var pipe = files.Open("/dev/null", writable: true); // fdatasync of a character device: EINVAL
        Assert.Equal("fdatasync", Assert.Throws<FileSystemException>(pipe.Sync).Operation);
    }

    [Fact]
    public void Directories_are_made_with_those_above_them_and_again_at_no_harm()
    {
        files.CreateDirectory(At("x/y/z"));
        files.CreateDirectory(At("x/y/z/"));
        Assert.True(files.Exists(At("x/y/z")));
        files.Create(At("x/file")).Dispose();
        Assert.False(files.Exists(At("x/file/below")));
        Assert.Throws<FileSystemException>(() => files.CreateDirectory(At("x/file/below")));
    }

    [Fact]
    public void Names_are_listed_in_order_without_directories()
    {
        foreach (var name in new[] { "b", "a", "B" })
        {
            files.Create(At(name)).Dispose();
        }

        files.CreateDirectory(At("d"));
        Assert.Equal(["B", "a", "b"], files.List(directory));
        files.Rename(At("b"), At("a"));
        files.Delete(At("B"));
        files.Delete(At("B"));
        Assert.Equal(["a"], files.List(directory));
    }

    [Fact]
    public void A_folder_is_renamed_with_its_files_and_deleted_once_it_is_empty()
    {
        files.CreateDirectory(At("d/e"));
        files.Create(At("d/e/f")).Dispose();
        files.Rename(At("d"), At("g"));

        Assert.Equal(["g"], files.ListDirectories(directory));
        Assert.Equal(["f"], files.List(At("g/e")));
        Assert.Contains("not empty", Assert.Throws<FileSystemException>(() => files.DeleteDirectory(At("g/e"))).Message, StringComparison.Ordinal);
        files.Delete(At("g/e/f"));
        files.DeleteDirectory(At("g/e"));
        files.DeleteDirectory(At("g/e"));
        Assert.Empty(files.ListDirectories(At("g")));
    }

    [Fact]
    public void A_mapped_file_is_read_after_its_deletion_and_refuses_what_lies_outside()
    {
        using (var file = files.Create(At("a")))
        {
            file.Write(0, "bytes"u8);
        }

        files.Create(At("empty")).Dispose();
        using var mapped = files.Map(At("a"));
        using var empty = files.Map(At("empty"));
        files.Delete(At("a"));

        Assert.Equal(5, mapped.Length);
        Assert.Equal("ytes"u8, mapped.Slice(1, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapped.Slice(1, 5).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => mapped.Slice(-1, 1).Length);
        Assert.True(empty.Slice(0, 0).IsEmpty);
        Assert.True(Assert.Throws<FileSystemException>(() => files.Map(At("none"))).IsNotFound);
    }

    [Fact]
    public void A_part_that_was_mapped_before_the_file_reached_it_shows_what_is_appended_later()
    {
        const int Page = 1 << 16;
        using var file = files.Create(At("a"));
        file.Write(0, "header"u8);
        using var begin = file.TryMap(0, Page);
        using var later = file.TryMap(Page, Page);

        file.Write(6, " and more"u8);
        file.Write(Page + 10, "far behind"u8);
        files.Delete(At("a"));

        Assert.Equal("header and more"u8, begin!.Slice(0, 15));
        Assert.Equal("far behind"u8, later!.Slice(10, 10));
    }

    [Fact]
    public void An_identity_is_that_of_the_file_and_not_of_its_name()
    {
        files.Create(At("a")).Dispose();
        var identity = files.IdentityOf(At("a"));
        files.Rename(At("a"), At("b"));
        Assert.Equal(identity, files.IdentityOf(At("b")));
        files.Create(At("a")).Dispose();
        Assert.NotEqual(identity, files.IdentityOf(At("a")));
        Assert.Equal(identity.Device, files.IdentityOf(directory).Device);
    }

    [Fact]
    public void A_lock_is_held_until_it_is_given_back()
    {
        var held = files.TryLock(directory);
        Assert.NotNull(held);
        Assert.Null(files.TryLock(directory));
        held.Dispose();
        using var again = files.TryLock(directory);
        Assert.NotNull(again);
    }

    [Fact]
    public void A_file_used_after_its_disposal_is_refused()
    {
        var file = files.Create(At("a"));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Write(0, "x"u8));
    }

    private string At(string name) => Path.Combine(directory, name);
}
