using System.Security.Cryptography.X509Certificates;
using Lm.Collector.Ingest;
using Lm.Collector.Spool;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;
using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>[ingest]</c> and the tables within.</summary>
internal static class IngestSettingsReader
{
    /// <summary>Reads the table and the files that it names.</summary>
    public static IngestSettings Read(TomlTable table, StorageSettings storage, ObjectStoreSettings? objectStore, SettingsReading reading)
    {
        var isShared = ReadIsShared(table, storage, objectStore);
        var limits = ReadLimits(table);
        return new IngestSettings
        {
            Listen = ReadListen(table, "0.0.0.0:18443"),
            IsShared = isShared,
            Limits = limits,
            RemoteWrite = ReadRemoteWrite(table.ReadTable("remote_write"), limits),
            Backfill = storage.Backfill,
            LandingInterval = TimeSpan.FromMilliseconds(table.ReadInteger("object_landing_interval_ms", 60_000, 1000, 86_400_000)),
            Tokens = ReadTokens(table, reading),
            Tls = ReadTls(table.ReadTable("tls"), reading),
        };
    }

    /// <summary>Reads the address of a listener.</summary>
    public static ListenAddress ReadListen(TomlTable table, string missing)
    {
        var text = table.ReadString("listen", missing);
        if (!ListenAddress.TryParse(text, out var address))
        {
            table.Fault("listen", $"listen is \"{text}\"; an address and a port are expected, as in \"127.0.0.1:18080\" or \"[::]:18443\"");
        }

        return address;
    }

    private static bool ReadIsShared(TomlTable table, StorageSettings storage, ObjectStoreSettings? objectStore)
    {
        if (table.ReadChoice("acceptance", "local_spool", "local_spool", "s3_manifest") != "s3_manifest")
        {
            return false;
        }

        if (objectStore is null)
        {
            table.Fault("acceptance", "acceptance is \"s3_manifest\", which needs [object_store]: batches are acknowledged when they are there");
            return true;
        }

        if (objectStore.Target.CompactsElsewhere)
        {
            table.Fault("acceptance", "acceptance is \"s3_manifest\" and object_store.compaction is \"external\": with s3_manifest there are no blocks in the store that another program could merge");
        }

        if (storage.Backfill > storage.LocalRetention)
        {
            table.Fault(
                "acceptance",
                $"acceptance is \"s3_manifest\", with which queries see what is on the local disk, and storage.backfill_days is {storage.Backfill.TotalDays}, more than local_retention_days, which is {storage.LocalRetention.TotalDays}: "
                + "what is accepted that late would be deleted at once");
        }

        return true;
    }

    private static Limits ReadLimits(TomlTable table) => new()
    {
        BodyBytesMax = ReadInt(table, "max_body_bytes", 8_388_608, Limits.BatchBytesFloor, BatchSpoolLimits.BodyBytesMax),
        BatchBytesMax = ReadInt(table, "max_batch_bytes", 33_554_432, Limits.BatchBytesFloor, BatchSpoolLimits.BatchBytesMax),
        SeriesPerBatchMax = ReadInt(table, "max_series_per_batch", 2048, Limits.SeriesPerBatchFloor, 1_000_000),
        LabelsPerSeriesMax = ReadInt(table, "max_labels_per_series", 32, Limits.LabelsPerSeriesFloor, 1024),
        LabelKeyBytesMax = ReadInt(table, "max_label_key_bytes", 128, Limits.LabelKeyBytesFloor, 65_536),
        LabelValueBytesMax = ReadInt(table, "max_label_value_bytes", 512, Limits.LabelValueBytesFloor, 1_048_576),
        SamplesPerBatchMax = ReadInt(table, "max_samples_per_batch", 65_536, Limits.SeriesPerBatchFloor, 16_777_216),
        LogsPerBatchMax = ReadInt(table, "max_logs_per_batch", 4096, 0, 1_000_000),
        LogMessageBytesMax = ReadInt(table, "max_log_message_bytes", 65_536, 1, 16_777_216),
        AlertsPerBatchMax = ReadInt(table, "max_alerts_per_batch", 64, 0, 10_000),
        FutureSecondsMax = ReadInt(table, "max_future_seconds", 600, 1, 86_400),
    };

    private static int ReadInt(TomlTable table, string key, int missing, int min, int max) => (int)table.ReadInteger(key, missing, min, max);

    // What it has no key for is as for batches.
    private static WriteLimits ReadRemoteWrite(TomlTable table, Limits limits) => new()
    {
        SeriesMax = ReadInt(table, "max_series_per_request", 20_000, 1, 1_000_000),
        SamplesMax = limits.SamplesPerBatchMax,
        LabelsPerSeriesMax = ReadInt(table, "max_labels_per_series", 64, Limits.LabelsPerSeriesFloor, 1024),
        LabelNameBytesMax = limits.LabelKeyBytesMax,
        LabelValueBytesMax = ReadInt(table, "max_label_value_bytes", 4096, Limits.LabelValueBytesFloor, 1_048_576),
    };

    private static TokenTable ReadTokens(TomlTable table, SettingsReading reading)
    {
        var file = reading.ReadFile(table, "token_table_file", "/etc/lightmetrics/ingest-tokens.toml", isSecret: true);
        return file is null ? new TokenTable() : TokenTableReader.Read(file, reading);
    }

    private static IngestTls ReadTls(TomlTable table, SettingsReading reading)
    {
        var clientAuth = table.ReadChoice("client_auth", "none", "none", "optional", "required") switch
        {
            "required" => ClientAuth.Required,
            "optional" => ClientAuth.Optional,
            _ => ClientAuth.None,
        };
        return new IngestTls
        {
            Certificate = CertificateReader.Read(table, "/etc/lightmetrics/tls/fullchain.pem", "/etc/lightmetrics/tls/key.pem", reading)!,
            ClientAuth = clientAuth,
            ClientRoots = ReadClientRoots(table, clientAuth, reading),
            ClientCertificateBindsAgent = table.ReadBoolean("client_cert_binds_agent", true),
        };
    }

    private static X509Certificate2Collection ReadClientRoots(TomlTable table, ClientAuth clientAuth, SettingsReading reading)
    {
        if (clientAuth == ClientAuth.None)
        {
            _ = table.ReadString("client_ca_file", ""); // the sample names it; it is not needed
            return [];
        }

        if (!table.Has("client_ca_file"))
        {
            table.Fault("client_auth", "client_auth asks agents for certificates, and client_ca_file is missing: give the file with the CAs that they may come from");
            return [];
        }

        if (reading.ReadFile(table, "client_ca_file", missing: null, isSecret: false) is not { } file)
        {
            return [];
        }

        var roots = ServerCertificate.TryReadAll(file.Text, out var fault);
        if (fault is not null)
        {
            table.Fault("client_ca_file", $"client_ca_file: {file.Path} {fault}");
        }

        return roots ?? [];
    }
}
