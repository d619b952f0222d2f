using System.Globalization;
using System.Text;

namespace Lm.Agent.Tests.HostMetrics.Node;

/// <summary>The files of a laptop with two cores of two threads, one of them offline, sensors, a battery, RAID, LVM, and an interface that is down.</summary>
internal static class Laptop
{
    public static void Write(HostTree tree)
    {
        WriteProc(tree);
        WriteNetwork(tree);
        WriteCpus(tree);
        WriteSensors(tree);
        WritePower(tree);
        tree.Write("udev/b8:0", "S:disk/by-id/x\nE:ID_MODEL=Samsung_SSD\nE:ID_PATH=pci-0000:00:17.0-ata-1\nE:ID_REVISION=1B6Q\nE:ID_SERIAL_SHORT=S2RBN\nE:ID_WWN=0x5002538\nI:123\n");
        tree.Write("udev/b253:0", "E:DM_NAME=vg-root\nE:DM_UUID=LVM-abc\nE:DM_VG_NAME=vg\nE:DM_LV_NAME=root\nE:ID_FS_TYPE=ext4\nE:ID_FS_USAGE=filesystem\nE:ID_FS_UUID=6f\nE:ID_FS_VERSION=1.0\n");
    }

    private static void WriteProc(HostTree tree) => tree
        .Write("proc/stat", """
            cpu  301854 612 111922 8979004 3552 2 3944 5 7 9
            cpu0 44490 19 21045 1087069 220 1 3410 1 2 3
            cpu1 47869 23 16474 1110787 591 0 46 2 3 4
            cpu3 46504 36 15916 1112321 441 0 326 2 2 2
            intr 8885917 17 0 0 0 0 0 0 0 1 79281 0 0 0 0 0 0 0 231237
            ctxt 38014093
            btime 1418183276
            processes 26442
            procs_running 2
            procs_blocked 1
            softirq 5057579 250191 1481983 1647 211099 186066 0 1783454 622196 12499 508444

            """)
        .Write("proc/meminfo", """
            MemTotal:       15666184 kB
            MemFree:          440324 kB
            MemAvailable:   10000000 kB
            Buffers:         1020128 kB
            Cached:         12007640 kB
            Active(anon):    2068484 kB
            Inactive(file):  4170048 kB
            HugePages_Total:       7
            Hugepagesize:       2048 kB
            DirectMap4k:      185660 kB

            """)
        .Write("proc/vmstat", "nr_free_pages 977769\npgpgin 7344136\npgpgout 1541180581\npswpin 1476\npswpout 35045\npgalloc_dma 0\npgfault 2320168809\npgmajfault 507162\nnuma_pte_updates 0\nnuma_hint_faults 3\noom_kill 2\nthp_fault_alloc 142261\n")
        .Write("proc/loadavg", "0.02 0.04 0.05 1/497 11947\n")
        .Write("proc/diskstats", """
               8       0 sda 25354637 34367663 1003346126 18492372 28444756 11134226 505697032 63877960 0 9653880 82621804
               8       1 sda1 250 0 2000 36 0 0 0 0 0 36 36
             253       0 dm-0 59910002 0 1003337218 46229572 39231014 0 505692160 1158557800 0 11325968 1206301256 7 8 9 10
             259       0 nvme0n1 47114 4 4643973 21650 1078320 43950 39451633 1011053 2 222766 1032546 1 2 3 4 5 6
             259       1 nvme0n1p1 1140 0 9370 16 1 0 1 0 0 16 16

            """)
        .Write("proc/sys/fs/file-nr", "1024\t0\t1631329\n")
        .Write("proc/sys/kernel/random/entropy_avail", "1337\n")
        .Write("proc/sys/kernel/random/poolsize", "4096\n")
        .Write("proc/sys/kernel/pid_max", "123\n")
        .Write("proc/sys/kernel/threads-max", "7801\n")
        .Write("proc/sys/net/netfilter/nf_conntrack_count", "123\n")
        .Write("proc/sys/net/netfilter/nf_conntrack_max", "65536\n")
        .Write("proc/net/stat/nf_conntrack", """
            entries  searched found new invalid ignore delete delete_list insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart
            00000021  00000000 0000000a 00000000 00000003 0000588a 00000000 00000000 00000001 00000002 00000004 00000005 00000000  00000000 00000000 00000000 00000006
            00000021  00000000 00000001 00000000 00000002 000056a4 00000000 00000000 00000000 00000001 00000001 00000000 00000002  00000000 00000000 00000000 00000004

            """)
        .Write("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=14036781\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n")
        .Write("proc/pressure/io", "some avg10=0.18 avg60=0.34 avg300=0.10 total=159886802\nfull avg10=0.18 avg60=0.34 avg300=0.10 total=159229614\n")
        .Write("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=13\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n")
        .Write("proc/mdstat", """
            Personalities : [linear] [multipath] [raid0] [raid1] [raid6] [raid5] [raid4] [raid10]
            md3 : active raid6 sda1[8] sdh1[7] sdg1[6] sdf1[5] sde1[11] sdd1[3] sdc1[10] sdb1[9] sdd1[10](S) sdd2[11](S)
                  5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/8] [UUUUUUUU]

            md127 : active raid1 sdi2[0] sdj2[1]
                  312319552 blocks [2/2] [UU]

            md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]
                  195310144 blocks [2/1] [U_]
                  [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec

            md8 : active raid1 sdb1[1] sda1[0] sdc[2](S) sde[3](S)
                  195310144 blocks [2/2] [UU]
                  [=>...................]  resync =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec

            md7 : active raid6 sdb1[0] sde1[3] sdd1[2] sdc1[1](F)
                  7813735424 blocks super 1.2 level 6, 512k chunk, algorithm 2 [4/3] [U_UU]
                  bitmap: 0/30 pages [0KB], 65536KB chunk

            md9 : active raid1 sdc2[2] sdd2[3] sdb2[1] sda2[0] sde[4](F) sdf[5](F) sdg[6](S)
                  523968 blocks super 1.2 [4/4] [UUUU]
                  resync=DELAYED

            md11 : active (auto-read-only) raid1 sdb2[0] sdc2[1] sdc3[2](F) hda[4](S) ssdc2[3](S)
                  4190208 blocks super 1.2 [2/2] [UU]
                  resync=PENDING

            md219 : inactive sdb[2](S) sdc[1](S) sda[0](S)
                    7932 blocks super external:imsm

            md101 : active (read-only) raid0 sdb[2] sdd[1] sdc[0]
                  322560 blocks super 1.2 512k chunks

            md00 : active raid1 sdb2[0] sdc2[1]
                  4190208 blocks super 1.2 [2/2] [UU]
                  [=>...................]  check = 11.2% (469376/4190208) finish=0.1min speed=93875K/sec

            unused devices: <none>

            """)
        .Write("proc/cpuinfo", string.Concat(new[] { 0, 1, 3 }.Select(cpu => string.Create(CultureInfo.InvariantCulture,
            $"processor\t: {cpu}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 142\nmodel name\t: Intel(R) Core(TM) i7\nstepping\t: 10\nmicrocode\t: 0xb4\ncpu MHz\t\t: 799.998\ncache size\t: 8192 KB\nphysical id\t: 0\nsiblings\t: 4\ncore id\t\t: {cpu % 2}\ncpu cores\t: 2\napicid\t\t: {cpu}\ninitial apicid\t: {cpu}\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 22\nwp\t\t: yes\nflags\t\t: fpu vme\nbugs\t\t: none\nbogomips\t: 4224.00\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 39 bits physical, 48 bits virtual\npower management:\n\n"))));

    private static void WriteNetwork(HostTree tree)
    {
        tree.Write("proc/net/softnet_stat", """
            00049279 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
            000dfb82 00000029 0000000a 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000

            """)
            .Write("proc/net/sockstat", "sockets: used 229\nTCP: inuse 4 orphan 0 tw 4 alloc 17 mem 1\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n")
            .Write("proc/net/sockstat6", "TCP6: inuse 17\nUDP6: inuse 9\nUDPLITE6: inuse 0\nRAW6: inuse 1\nFRAG6: inuse 0 memory 0\n")
            .Write("proc/net/netstat", "TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops TCPTimeouts TCPSynRetrans TCPOther\nTcpExt: 1 2 3 4 5 6 7 8\nIpExt: InNoRoutes InOctets OutOctets\nIpExt: 0 6286396970 2786264347\n")
            .Write("proc/net/snmp", "Ip: Forwarding DefaultTTL\nIp: 1 64\nIcmp: InMsgs InErrors OutMsgs\nIcmp: 104 0 120\nTcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts\nTcp: 1 -1 3556 230 0 57252008 54915039 227 5 1003\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\nUdp: 88542 120 0 53028 9 8\nUdpLite: InDatagrams InErrors\nUdpLite: 0 0\n")
            .Write("proc/net/snmp6", "Ip6InOctets                     \t460\nIp6OutOctets                    \t536\nIcmp6InMsgs                     \t0\nIcmp6InErrors                   \t0\nIcmp6OutMsgs                    \t8\nUdp6InDatagrams                 \t0\nUdp6NoPorts                     \t0\nUdp6InErrors                    \t0\nUdp6OutDatagrams                \t0\nUdp6RcvbufErrors                \t9\nUdp6SndbufErrors                \t8\nUdpLite6InErrors                \t0\n")
            .Write("proc/net/udp", "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n 1: 00000000:0016 00000000:0000 0A 00000015:0000000F 00:00000000 00000000     0        0 2740 1 ffff88003d3af3c0 100 0 0 10 0\n");
        WriteInterface(tree, "eth0", new()
        {
            ["address"] = "01:01:01:01:01:01",
            ["broadcast"] = "ff:ff:ff:ff:ff:ff",
            ["operstate"] = "up",
            ["ifalias"] = "uplink",
            ["duplex"] = "full",
            ["carrier"] = "1",
            ["flags"] = "0x1303",
            ["speed"] = "1000",
            ["mtu"] = "1500",
            ["dev_id"] = "0x20",
            ["carrier_changes"] = "2",
            ["ifindex"] = "2",
            ["iflink"] = "2",
            ["tx_queue_len"] = "1000",
            ["type"] = "1",
            ["link_mode"] = "1",
            ["dormant"] = "1",
            ["netdev_group"] = "0",
            ["addr_assign_type"] = "3",
            ["name_assign_type"] = "2",
            ["carrier_up_count"] = "1",
            ["carrier_down_count"] = "1",
        });
        WriteInterface(tree, "wlan0", new() { ["address"] = "02:02:02:02:02:02", ["operstate"] = "down", ["flags"] = "0x1003", ["mtu"] = "1500", ["ifindex"] = "3", ["speed"] = "-1" });
    }

    private static void WriteInterface(HostTree tree, string name, Dictionary<string, string> files)
    {
        foreach (var (file, text) in files)
        {
            tree.Write($"sys/class/net/{name}/{file}", text + "\n");
        }
    }

    private static void WriteCpus(HostTree tree)
    {
        foreach (var cpu in new[] { 0, 1, 3 })
        {
            var folder = $"sys/devices/system/cpu/cpu{cpu}";
            tree.Write($"{folder}/cpufreq/cpuinfo_cur_freq", "1699981\n").Write($"{folder}/cpufreq/cpuinfo_max_freq", "3700000\n").Write($"{folder}/cpufreq/cpuinfo_min_freq", "800000\n")
                .Write($"{folder}/cpufreq/scaling_cur_freq", "1699981\n").Write($"{folder}/cpufreq/scaling_max_freq", "3700000\n").Write($"{folder}/cpufreq/scaling_min_freq", "800000\n")
                .Write($"{folder}/cpufreq/cpuinfo_transition_latency", "0\n").Write($"{folder}/cpufreq/related_cpus", $"{cpu}\n").Write($"{folder}/cpufreq/scaling_driver", "intel_pstate\n")
                .Write($"{folder}/cpufreq/scaling_governor", "powersave\n").Write($"{folder}/cpufreq/scaling_available_governors", "performance powersave\n").Write($"{folder}/cpufreq/scaling_setspeed", "<unsupported>\n")
                .Write($"{folder}/topology/core_id", $"{cpu % 2}\n").Write($"{folder}/topology/physical_package_id", "0\n")
                .Write($"{folder}/thermal_throttle/core_throttle_count", $"{cpu % 2 * 10}\n").Write($"{folder}/thermal_throttle/package_throttle_count", "30\n");
        }
    }

    private static void WriteSensors(HostTree tree)
    {
        const string Core = "sys/devices/platform/coretemp.0/hwmon/hwmon0";
        tree.Write($"{Core}/name", "coretemp\n").Write($"{Core}/temp1_input", "55000\n").Write($"{Core}/temp1_label", "Physical id 0\n").Write($"{Core}/temp1_crit", "100000\n")
            .Write($"{Core}/temp1_crit_alarm", "0\n").Write($"{Core}/temp1_max", "84000\n").Write($"{Core}/temp2_input", "54001\n").Write($"{Core}/temp2_label", "Core 0\n").Write($"{Core}/uevent", "\n");
        const string Board = "sys/devices/platform/nct6775.656/hwmon/hwmon1";
        tree.Write($"{Board}/name", "nct6779\n").Write($"{Board}/in0_input", "792\n").Write($"{Board}/in0_alarm", "1\n").Write($"{Board}/in0_beep", "0\n").Write($"{Board}/in1_min", "3\n")
            .Write($"{Board}/fan1_input", "1098\n").Write($"{Board}/fan1_min", "0\n").Write($"{Board}/fan1_pulses", "2\n").Write($"{Board}/fan2_input", "1273\n").Write($"{Board}/fan2_alarm", "0\n")
            .Write($"{Board}/pwm1", "63\n").Write($"{Board}/pwm1_enable", "5\n").Write($"{Board}/pwm1_auto_point1_temp", "30000\n").Write($"{Board}/beep_enable", "1\n").Write($"{Board}/intrusion0_alarm", "1\n")
            .Write($"{Board}/curr1_input", "1234\n").Write($"{Board}/power1_input", "5000001\n").Write($"{Board}/power1_accuracy", "95\n").Write($"{Board}/power1_average_interval", "1000\n")
            .Write($"{Board}/energy1_input", "987654321\n").Write($"{Board}/humidity1_input", "41000\n").Write($"{Board}/temp3_type", "4\n").Write($"{Board}/temp3_fault", "0\n").Write($"{Board}/vrm", "130\n").Write($"{Board}/update_interval", "250\n")
            .Write($"{Board}/freq1_input", "800000000\n").Write($"{Board}/cpu0_vid", "1250\n");
        Link(tree, "sys/class/hwmon/hwmon0", "../../devices/platform/coretemp.0/hwmon/hwmon0");
        Link(tree, "sys/class/hwmon/hwmon1", "../../devices/platform/nct6775.656/hwmon/hwmon1");
        Link(tree, $"{Core}/device", "../../../coretemp.0");
        Link(tree, $"{Board}/device", "../../../nct6775.656");
        tree.Write("sys/class/hwmon/hwmon2/name", "applesmc\n").Write("sys/class/hwmon/hwmon2/fan1_label", "Left side  \n").Write("sys/class/hwmon/hwmon2/fan1_input", "2500\n").Write("sys/class/hwmon/hwmon2/fan1_manual", "0\n");
        tree.Write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n").Write("sys/class/thermal/thermal_zone0/temp", "12376\n").Write("sys/class/thermal/thermal_zone0/policy", "step_wise\n").Write("sys/class/thermal/thermal_zone0/mode", "enabled\n")
            .Write("sys/class/thermal/cooling_device0/type", "Processor\n").Write("sys/class/thermal/cooling_device0/max_state", "50\n").Write("sys/class/thermal/cooling_device0/cur_state", "7\n");
    }

    private static void WritePower(HostTree tree)
    {
        tree.Write("sys/class/power_supply/AC/type", "Mains\n").Write("sys/class/power_supply/AC/online", "0\n");
        var battery = new Dictionary<string, string>
        {
            ["type"] = "Battery",
            ["status"] = "Discharging",
            ["present"] = "1",
            ["technology"] = "Li-ion",
            ["cycle_count"] = "17",
            ["voltage_min_design"] = "10800000",
            ["voltage_now"] = "12229000",
            ["power_now"] = "4830000",
            ["energy_full_design"] = "47520000",
            ["energy_full"] = "50060000",
            ["energy_now"] = "49450000",
            ["capacity"] = "98",
            ["capacity_level"] = "Normal",
            ["model_name"] = "LNV-45N1",
            ["manufacturer"] = "LGC",
            ["serial_number"] = "38109",
            ["charge_now"] = "1200000",
            ["current_now"] = "2345678",
            ["temp"] = "315",
            ["time_to_empty_now"] = "3600",
            ["charge_full"] = "3333333",
            ["voltage_max"] = "13000000",
            ["health"] = "Good",
        };
        foreach (var (file, text) in battery)
        {
            tree.Write($"sys/class/power_supply/BAT0/{file}", text + "\n");
        }

        var uevent = new StringBuilder();
        foreach (var (file, text) in battery)
        {
            uevent.Append(CultureInfo.InvariantCulture, $"POWER_SUPPLY_{file.ToUpperInvariant()}={text}\n");
        }

        tree.Write("sys/class/power_supply/BAT0/uevent", uevent.ToString()).Write("sys/class/power_supply/AC/uevent", "POWER_SUPPLY_ONLINE=0\n");
    }

    private static void Link(HostTree tree, string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(tree.In(path))!);
        File.CreateSymbolicLink(tree.In(path), target);
    }
}
