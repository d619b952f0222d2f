using System.Text;
using Lm.Logs.Query;

namespace Lm.Logs.Tests.Query;

public sealed class LogQueryTests
{
    private const string Json = """{"status":500,"took":"1.5s","size":"20MB","user":{"name":"eve","id":7},"tags":["a","b"],"ok":false,"none":null,"a b":"ä\n"}""";
    private const string Logfmt = """level=error msg="it \"broke\"" took=250ms size=5KiB url=/a?b=c empty= flag""";

    // Query behind the selector, the line, and what comes out: the line, then labels that were found; or - when it is left out.
    [Theory]
    [InlineData("""|= "b" """, "abc", "abc")]
    [InlineData("""|= "x" """, "abc", "-")]
    [InlineData("""|= "" """, "abc", "abc")]
    [InlineData("""|= "x" or "c" """, "abc", "abc")]
    [InlineData("""!= "x" """, "abc", "abc")]
    [InlineData("""!= "b" """, "abc", "-")]
    [InlineData("""!= "x" or "b" """, "abc", "-")]
    [InlineData("""|= "a" |= "b" != "d" """, "abc", "abc")]
    [InlineData("|= `\"` ", "say \"x\"", "say \"x\"")]
    [InlineData("""|= "\u00e4\x41" """, "äA", "äA")]
    [InlineData("""|~ "a.c" """, "xabcx", "xabcx")]
    [InlineData("""|~ "^b" """, "abc", "-")]
    [InlineData("""|~ "c$" """, "abc", "abc")]
    [InlineData("""|~ "(?i)ABC" """, "abc", "abc")]
    [InlineData("""|~ "x|b" """, "abc", "abc")]
    [InlineData("""|~ "x|y" """, "abc", "-")]
    [InlineData("""|~ "5\\d\\d" """, "GET 503", "GET 503")]
    [InlineData("""|~ `\d{3}` or `x+` """, "axxb", "axxb")]
    [InlineData("""!~ "a.c" """, "abc", "-")]
    [InlineData("""!~ "a.d" """, "abc", "abc")]
    [InlineData("""|~ "a.b" """, "a\nb", "-")]
    [InlineData("""|~ "(?s)a.b" """, "a\nb", "a\nb")]
    [InlineData("""|~ "(?m)^b$" """, "a\nb\nc", "a\nb\nc")]
    [InlineData("""|~ "ä+" """, "xää", "xää")]
    [InlineData("""|> "<_> GET <_>" """, "1.2.3.4 GET /", "1.2.3.4 GET /")]
    [InlineData("""|> "GET <_>" """, "1.2.3.4 GET /", "1.2.3.4 GET /")]
    [InlineData("""!> "GET <_>" """, "1.2.3.4 GET /", "-")]
    [InlineData("""|> "<_>GET <_>" """, "GET /", "-")]
    [InlineData("""|> "<_> x" """, "a x x", "-")]
    [InlineData("""|= ip("10.0.0.0/8") """, "from 10.1.2.3:80 to", "from 10.1.2.3:80 to")]
    [InlineData("""|= ip("10.0.0.0/8") """, "from 110.1.2.3.4 or 10.1.2", "-")]
    [InlineData("""|= ip("10.0.0.1-10.0.0.9") or "x" """, "It was 10.0.0.9.", "It was 10.0.0.9.")]
    [InlineData("""!= ip("10.0.0.0/8") """, "10.1.2.3", "-")]
    [InlineData("""|= ip("2001:db8::/32") """, "[2001:db8::1]:443", "[2001:db8::1]:443")]
    [InlineData("""|= ip("::1") """, "addr=::1", "addr=::1")]
    [InlineData("""|= ip("0.0.0.0/0") """, "::1", "-")]
    [InlineData("""| logfmt addr | addr=ip("192.168.0.0/16") """, "addr=192.168.3.4", "addr=192.168.3.4 addr=192.168.3.4")]
    [InlineData("""| logfmt addr | addr!=ip("192.168.0.0/16") """, "addr=192.168.3.4", "-")]
    [InlineData("""|~ "\\Qa.b\\E$" """, "xa.b", "xa.b")]
    [InlineData("""|~ "\\Qa.b" """, "axb", "-")]
    [InlineData("""|~ "^\\pL+\\PN$" """, "äöü!", "äöü!")]
    [InlineData("""|~ "[\\pN-]{2}" """, "a-5", "a-5")]
    [InlineData("""|~ "^\\x{1F600}{2}$" """, "😀😀", "😀😀")]
    [InlineData("""|~ "^[\\x{1F600}-\\x{1F64F}x]+$" """, "😀x🙏", "😀x🙏")]
    [InlineData("""|~ "^[^\\x{1F600}]$" """, "😁", "😁")]
    [InlineData("""|~ "^[^\\x{1F600}]$" """, "😀", "-")]
    [InlineData("""|~ "[\\x{41}-\\x{43}]" """, "xBx", "xBx")]
    [InlineData("| json", Json, Json + """ a_b=ä|n ok=false size=20MB status=500 took=1.5s user_id=7 user_name=eve""")]
    [InlineData("""| json who="user.name", second="tags[1]", tags, all="user", odd="[\"a b\"]" """, Json, Json + """ all={"name":"eve","id":7} odd=ä|n second=b tags=["a","b"] who=eve""")]
    [InlineData("""| json none="user.nothing.there" """, Json, Json + " none=")]
    [InlineData("| json", """{"instance":"x","7up":"y"}""", """{"instance":"x","7up":"y"} _7up=y instance_extracted=x""")]
    [InlineData("| json", """{"a":"1","a":"2"}""", """{"a":"1","a":"2"} a=2""")]
    [InlineData("""| json | __error__="" """, "no json", "-")]
    [InlineData("""| json | __error__!="" """, "[1]", "[1] __error__=JSONParserErr __error_details__=the line is no JSON object")]
    [InlineData("| json | status >= 500", Json, Json + """ a_b=ä|n ok=false size=20MB status=500 took=1.5s user_id=7 user_name=eve""")]
    [InlineData("| json | status > 500", Json, "-")]
    [InlineData("""| json s="status" | s = 500""", Json, Json + " s=500")]
    [InlineData("""| json s="status" | s == 500 or s < 0 """, Json, Json + " s=500")]
    [InlineData("""| json s="status", t="took" | s != 500 or t > 1s """, Json, Json + " s=500 t=1.5s")]
    [InlineData("""| json s="status", t="took" | s >= 500 and t <= 1500ms, s=~"5.." """, Json, Json + " s=500 t=1.5s")]
    [InlineData("""| json s="status" | (s="500" or s="200") and s!~"2.*" """, Json, Json + " s=500")]
    [InlineData("""| json z="size" | z > 19MiB """, Json, Json + " z=20MB")]
    [InlineData("""| json z="size" | z >= 20MB | z < 20.1MB """, Json, Json + " z=20MB")]
    [InlineData("""| json t="took" | t > 5 """, Json, Json + " __error__=LabelFilterErr __error_details__=t is no number: 1.5s t=1.5s")]
    [InlineData("""| nothere > 5 """, "abc", "-")]
    [InlineData("""| nothere="" """, "abc", "abc")]
    [InlineData("""| instance="web1" """, "abc", "abc")]
    [InlineData("| logfmt", Logfmt, Logfmt + """ level=error msg=it "broke" size=5KiB took=250ms url=/a?b=c""")]
    [InlineData("| logfmt --keep-empty level, f=\"flag\"", Logfmt, Logfmt + " f= level=error")]
    [InlineData("""| logfmt --strict | __error__!="" """, "a=\"x", "a=\"x __error__=LogfmtParserErr __error_details__=a value has no closing quote")]
    [InlineData("""| logfmt l="level" | l="error" """, Logfmt, Logfmt + " l=error")]
    [InlineData("""| logfmt | took > 200ms | size > 5000B | drop msg, url, took, size, level""", Logfmt, Logfmt)]
    [InlineData("""| logfmt | keep level """, Logfmt, Logfmt + " level=error !instance")]
    [InlineData("""| logfmt | keep instance, level="error", took="1s" """, Logfmt, Logfmt + " level=error")]
    [InlineData("""| logfmt level | drop level="info" """, Logfmt, Logfmt + " level=error")]
    [InlineData("""| regexp "(?P<verb>[A-Z]+) (?P<path>\\S+)( (?P<more>x))?" """, "GET /a", "GET /a path=/a verb=GET")]
    [InlineData("""| regexp "(?P<verb>[A-Z]+)" """, "get", "get")]
    [InlineData("""| pattern "<ip> - <_> <rest>" """, "1.1.1.1 - - a b", "1.1.1.1 - - a b ip=1.1.1.1 rest=a b")]
    [InlineData("""| pattern "[<a>] <b>;" """, "[x] y; z", "[x] y; z a=x b=y")]
    [InlineData("""| pattern "[<a>]" """, "x [y]", "x [y]")]
    [InlineData("| unpack", """{"pod":"p1","n":5,"_entry":"the line"}""", "the line pod=p1")]
    [InlineData("""| unpack |= "the line" """, """{"_entry":"the line"}""", "the line")]
    [InlineData("| decolorize", "\u001b[31mred\u001b[0m \u001b[x", "red \u001b[x")]
    [InlineData("""| line_format "{{.instance}}: {{__line__}}{{.none}}" """, "abc", "web1: abc")]
    [InlineData("""| line_format "new" |= "abc" """, "abc", "-")]
    [InlineData("""| json | line_format "{{.user_name | ToUpper}} {{ .status | printf \"%05d\" }}" | drop a_b, ok, size, status, took, user_id, user_name""", Json, "EVE 00500")]
    [InlineData("""| logfmt level | label_format level=`{{upper .level}}`, host=instance""", Logfmt, Logfmt + " host=web1 level=ERROR !instance")]
    [InlineData("""| label_format a="{{ if eq .instance \"web1\" }}one{{ else if hasPrefix \"db\" .instance }}two{{ else }}three{{ end }}" """, "abc", "abc a=one")]
    [InlineData("""| line_format "{{ div 1 (sub 1 1) }}" """, "abc", "abc __error__=TemplateFormatErr __error_details__=a division by 0")]
    [InlineData("""| line_format "{{- .instance -}}  x {{ add 1 2 3 }}" """, "abc", "web1x 6")]
    [InlineData("# what\n|= \"b\" # why", "abc", "abc")]
    [InlineData("| unpack", """{"pod":"p1"}""", """{"pod":"p1"}""")]
    [InlineData("| json", """{"s":"\ud800x\ud83d\ude00"}""", """{"s":"\ud800x\ud83d\ude00"} s=�x😀""")]
    [InlineData("""| line_format "{{ with .none }}a{{ else }}b{{ end }}{{ with $x := .instance }}{{ . }}{{ $x }}{{ $.instance }}{{ end }}" """, "abc", "bweb1web1web1")]
    [InlineData("""| line_format `{{ range $i, $e := fromJson __line__ }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ $i }}={{ $e.a }}{{ .a }};{{ if eq $i 2 }}{{ break }}{{ end }}{{ end }}`""", """[{"a":1},{},{"a":"x"},{}]""", "0=11;2=xx;")]
    [InlineData("""| line_format `{{ range $k, $v := fromJson __line__ }}{{ $k }}{{ $v }}{{ else }}none{{ end }}`""", """{"b":[1,2.5],"a":{"x":null}}""", "amap[x:<nil>]b[1 2.5]")]
    [InlineData("""| line_format `{{ range fromJson "[]" }}x{{ else }}none{{ end }}{{ (fromJson __line__).a.b }} {{ index (fromJson __line__) "a" "b" }}`""", """{"a":{"b":5}}""", "none5 5")]
    [InlineData("""| line_format `{{ $n := 0 }}{{ range fromJson __line__ }}{{ $n = add $n 1 }}{{ end }}{{ $n }}`""", "[7,7,7]", "3")]
    [InlineData("""| line_format `{{ __timestamp__ }} {{ __timestamp__ | unixEpochMillis }} {{ __timestamp__ | date "2006-01-02T15:04:05.000Z07:00 Mon Jan _2 03PM" }}`""", "abc", "1970-01-01 00:00:01 +0000 UTC 1000 1970-01-01T00:00:01.000Z Thu Jan  1 12AM")]
    [InlineData("""| line_format `{{ toDate "2006-01-02 15:04:05 -0700" "2024-02-29 12:30:00 +0200" | unixEpoch }} {{ toDateInZone "2006-01-02" "UTC" "2024-02-29" | unixEpochNanos }} {{ unixToTime "1679577215" }}`""", "abc", "1709202600 1709164800000000000 2023-03-23 13:13:35 +0000 UTC")]
    [InlineData("""| line_format `{{ mulf 1000 1000 }} {{ mulf 0.5 0.00001 }} {{ mulf 12345.5 1 }} {{ int "x" }} {{ add "5" 1 }}`""", "abc", "1e+06 5e-06 12345.5 0 6")]
    [InlineData("""| line_format `{{ (fromJson __line__).a }}`""", "abc", "abc __error__=TemplateFormatErr __error_details__=there is no .a in nothing")]
    public void A_query_makes_of_a_line_what_LogQL_says(string stages, string line, string expected)
    {
        var logs = new MemoryLogs().Add(1000, line);

        var entries = Run(logs, "{instance=\"web1\"} " + stages);

        Assert.Equal(expected, entries.Count == 0 ? "-" : Shown(entries.Single()));
    }

    [Theory]
    [InlineData("""{instance="web1"}""", "ab")]
    [InlineData("""{instance=~"web.*"}""", "abc")]
    [InlineData("""{instance=~"web.*", input!="nginx"}""", "c")]
    [InlineData("""{instance=~".+", input!~"ng.+|sys.+"}""", "")]
    [InlineData("""{input="nginx", severity=""}""", "a")]
    [InlineData("""{instance="web"}""", "")]
    public void Matchers_choose_streams_and_a_missing_label_is_empty(string query, string expected)
    {
        var logs = new MemoryLogs().Add(1, "a", "instance=web1,input=nginx").Add(2, "b", "instance=web1,input=nginx,severity=error").Add(3, "c", "instance=web2,input=syslog");

        Assert.Equal(expected, string.Concat(Run(logs, query).Select(Body)));
    }

    [Theory]
    [InlineData("", "line 1, column 1: found the end of the query, expected a selector")]
    [InlineData("{}", "line 1, column 1: the selector may select every stream")]
    [InlineData("""{a=~".*"}""", "line 1, column 1: the selector may select every stream")]
    [InlineData("""{a="b" """, "line 1, column 8: found the end of the query, expected ',' or '}'")]
    [InlineData("""{a 5}""", "line 1, column 4: found '5', expected one of = != =~ !~")]
    [InlineData("""{a=~"["}""", "line 1, column 5: error parsing regexp: missing closing ]")]
    [InlineData("{a=\"b\"}\n|= 5", "line 2, column 4: found '5', expected a text in quotes")]
    [InlineData("""{a="b"} |~ "(" """, "line 1, column 12: error parsing regexp: missing closing ): `(`")]
    [InlineData("""{a="b"} | nothing """, "line 1, column 11: found 'nothing', expected json, logfmt")]
    [InlineData("""{a="b"} | x > "5" """, "line 1, column 13: found '>', expected one of = != =~ !~ before a text")]
    [InlineData("""{a="b"} | x = 5xs """, "line 1, column 15: found '5xs', expected a text in quotes, a number, a duration as 1.5s or a size as 20MB")]
    [InlineData("""{a="b"} | regexp "x" """, "line 1, column 18: at least one group needs a name")]
    [InlineData("""{a="b"} | pattern "<a><b>" """, "line 1, column 19: <a><b>: two gaps need a text between them")]
    [InlineData("""{a="b"} |> "<a> x" """, "line 1, column 12: <a>: a pattern that filters has only gaps without a name")]
    [InlineData("""{a="b"} | json x="[" """, "line 1, column 18: \"[\" is not a path")]
    [InlineData("""{a="b"} | line_format "{{.x" """, "line 1, column 23: template, character 5: }} is expected")]
    [InlineData("""{a="b"} | line_format "{{block .x}}{{end}}" """, "line 1, column 23: template, character 3: block is not there; if, else, end, with, range, break and continue are")]
    [InlineData("""{a="b"} | line_format "{{$x}}" """, "line 1, column 23: template, character 3: the variable $x is not known here")]
    [InlineData("""{a="b"} | line_format "{{break}}" """, "line 1, column 23: template, character 3: break stands within {{range}} alone")]
    [InlineData("""{a="b"} | line_format "{{range .x}}" """, "line 1, column 23: template, character 13: a {{range}} has no {{end}}")]
    [InlineData("""{a="b"} |= ip("1.2.3") """, "line 1, column 15: \"1.2.3\" is neither an address nor a prefix")]
    [InlineData("""{a="b"} |~ ip("1.2.3.4") """, "line 1, column 12: ip(\"…\") stands behind |= and != alone")]
    [InlineData("""{a="b"} | x>ip("1.2.3.4") """, "line 1, column 13: ip(\"…\") is compared with = and != alone")]
    [InlineData("""{a="b"} |~ "\\x{110000}" """, "line 1, column 12: error parsing regexp: invalid escape sequence")]
    [InlineData("approx_topk(3, rate({a=\"b\"}[5m]))", "line 1, column 1: found 'approx_topk', expected")]
    [InlineData("""{a="b"} | line_format "{{nope .x}}" """, "line 1, column 23: template, character 3: the function nope is not there; these are:")]
    [InlineData("""{a="b"} | label_format x=y, x=z """, "line 1, column 29: label_format makes x twice")]
    [InlineData("""{a='b'}""", "line 1, column 4: texts stand in double quotes or back quotes")]
    [InlineData("""{a="b}""", "line 1, column 4: the text that begins here has no closing \"")]
    [InlineData("""{a="\q"}""", "line 1, column 5: this escape is not known")]
    [InlineData("rate({a=\"b\"})", "line 1, column 13: found ')', expected a stage, or the range as in [5m]")]
    [InlineData("rate({a=\"b\"}[0s])", "line 1, column 14: the range must be longer than nothing")]
    [InlineData("rate({a=\"b\"}[5x])", "line 1, column 14: found '5x', expected a duration")]
    [InlineData("sum({a=\"b\"})", "line 1, column 5: found lines, expected series")]
    [InlineData("sum(5)", "line 1, column 5: found a number, expected series")]
    [InlineData("avg_over_time({a=\"b\"}[5m])", "line 1, column 1: avg_over_time is about a label's numbers: it needs | unwrap")]
    [InlineData("count_over_time({a=\"b\"} | unwrap x [5m])", "line 1, column 1: count_over_time is about lines: it takes no | unwrap")]
    [InlineData("rate({a=\"b\"}[5m]) by (x)", "line 1, column 1: rate takes no by or without")]
    [InlineData("topk(0.5, rate({a=\"b\"}[5m]))", "line 1, column 6: topk takes a whole number")]
    [InlineData("{a=\"b\"} + 1", "line 1, column 1: lines cannot be calculated with")]
    [InlineData("1 + bool 2", "line 1, column 3: bool is for comparisons alone")]
    [InlineData("1 and 2", "line 1, column 3: and stands between series")]
    [InlineData("frobnicate(1)", "line 1, column 1: found 'frobnicate', expected a selector")]
    [InlineData("rate({a=\"b\"}[5m]) rate", "line 1, column 19: found 'rate', expected an operator or the end of the query")]
    public void A_query_that_cannot_be_read_says_where_and_what_is_allowed(string query, string expected)
    {
        Assert.False(LogQuery.TryParse(query, out _, out var fault));
        Assert.StartsWith(expected, fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_query_may_neither_be_giant_nor_nest_without_end()
    {
        Assert.False(LogQuery.TryParse(new string('(', 100_000), out _, out var tooLong));
        Assert.False(LogQuery.TryParse(new string('(', 10_000), out _, out var tooDeep));
        Assert.False(LogQuery.TryParse(string.Join('+', Enumerable.Repeat("1", 10_000)), out _, out var tooMany));
        Assert.False(LogQuery.TryParse("{a=\"b\"}" + string.Concat(Enumerable.Repeat("|=\"x\"", 1000)), out _, out var stages));

        Assert.Contains("at most 65536", tooLong.Message, StringComparison.Ordinal);
        Assert.Contains("at most 256", tooDeep.Message, StringComparison.Ordinal);
        Assert.Contains("at most 256", tooMany.Message, StringComparison.Ordinal);
        Assert.Contains("at most 128", stages.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_every_line_must_contain_is_told_to_the_store()
    {
        var logs = new MemoryLogs().Add(1, "connection timeout after 5s");

        Run(logs, """{instance="web1"} |= "timeout" |~ "after \\d+s" != "x" |= "a" or "b" | line_format "y" |= "y" """);

        Assert.Equal(["timeout", "after ", "s"], logs.LastScan!.Required.Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public void Attributes_are_labels_that_stand_apart()
    {
        var logs = new MemoryLogs().Add(1, "a", attributes: [("unit", "ssh"), ("empty", "")]).Add(2, "b", attributes: ("unit", "cron"));

        var entry = Assert.Single(Run(logs, """{instance="web1"} | unit="ssh" """));

        Assert.Equal([new LogField("unit", "ssh")], entry.Attributes);
        Assert.Equal("instance=web1 unit=ssh", string.Join(' ', entry.AllLabels().Select(label => $"{label.Name}={label.Value}")));
    }

    [Fact]
    public void Pages_follow_each_other_without_a_hole_or_a_line_twice_in_both_directions_while_lines_come_in()
    {
        foreach (var isBackward in (bool[])[false, true])
        {
            var logs = new MemoryLogs();
            foreach (var i in Enumerable.Range(0, 20))
            {
                logs.Add(1000 + (i / 5), $"line {i}", i % 2 == 0 ? "instance=web1" : "instance=web2");
            }

            var expected = Run(logs, "{instance=~\"web.\"}", isBackward).Select(Body).ToList();
            var paged = new List<string>();
            LogPosition? after = null;
            while (Run(logs, "{instance=~\"web.\"}", isBackward, after).Take(3).ToList() is { Count: > 0 } page)
            {
                paged.AddRange(page.Select(Body));
                Assert.True(LogPosition.TryParse(page[^1].Position.ToString(), out var read));
                after = read;
                logs.Add(isBackward ? 2000 : 0, "came later");
            }

            Assert.Equal(expected, paged);
        }
    }

    [Fact]
    public void A_filter_takes_lines_that_come_from_nowhere_one_at_a_time()
    {
        Assert.True(LogQuery.TryParse("""{instance="web1"} |= "x" | json | n > 1""", out var query, out _));
        var filter = query!.CreateFilter();
        var stream = new LogStream([new("instance", "web1")]);

        Assert.True(filter.TryTake(new LogLine(5, stream, """{"x":1,"n":2}"""u8, [], new LogIdentity(1, 2, 3)), out var taken));
        Assert.Equal(["n", "x"], taken!.Parsed.Select(label => label.Name));
        Assert.False(filter.TryTake(new LogLine(5, stream, """{"x":1,"n":1}"""u8, [], default), out _));
        Assert.False(filter.TryTake(new LogLine(5, new LogStream([new("instance", "web2")]), """{"x":1,"n":2}"""u8, [], default), out _));

        var line = """{"y":1,"n":2}"""u8.ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            filter.TryTake(new LogLine(5, stream, line, [], default), out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    internal static List<LogEntry> Run(MemoryLogs logs, string text, bool isBackward = false, LogPosition? after = null)
    {
        Assert.True(LogQuery.TryParse(text, out var query, out var fault), fault.ToString());
        var range = new LogRange { From = 0, Until = long.MaxValue, IsBackward = isBackward, After = after };
        return [.. new LogQueryEngine(logs, new LogQueryLimits()).Lines(query!, range, new LogScanStatistics(), TestContext.Current.CancellationToken)];
    }

    internal static string Body(LogEntry entry) => Encoding.UTF8.GetString(entry.Body.Span);

    private static string Shown(LogEntry entry)
    {
        var parsed = string.Concat(entry.Parsed.Select(label => $" {label.Name}={label.Value.Replace('\n', '|').Replace("|", "|n", StringComparison.Ordinal)}"));
        return Body(entry) + parsed + (entry.Labels.Any(label => label.Name == "instance") ? "" : " !instance");
    }
}
