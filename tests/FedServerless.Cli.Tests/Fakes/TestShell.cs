using Spectre.Console;

namespace FedServerless.Cli.Tests.Fakes;

/// <summary>A shell in memory with a folder of its own.</summary>
internal sealed class TestShell : IDisposable
{
    private readonly SharedText _output = new();
    private readonly SharedText _error = new();
    private readonly Dictionary<string, string> _variables = [];

    public TestShell(FakeServer? server = null)
    {
        Folder = Directory.CreateTempSubdirectory("fed-cli-test-").FullName;
        Shell = new Shell
        {
            Output = _output,
            Error = _error,
            Console = AnsiConsole.Create(new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
                Interactive = InteractionSupport.No,
                Out = new WideOutput(_output),
            }),
            Variable = name => _variables.GetValueOrDefault(name),
            CurrentFolder = Folder,
            HomeFolder = Path.Combine(Folder, "home"),
            Http = server,
        };
        if (server is not null)
        {
            Set(Variables.Url, FakeServer.Url).Set(Variables.Key, FakeServer.Key);
        }
    }

    public Shell Shell { get; }

    public string Folder { get; }

    public string Output => _output.ToString();

    public string Error => _error.ToString();

    public TestShell Set(string variable, string value)
    {
        _variables[variable] = value;
        return this;
    }

    /// <summary>A data folder as a running host leaves it.</summary>
    public void WriteDataFolder(string folder, string? url, string? key)
    {
        var path = Path.Combine(Folder, folder);
        Directory.CreateDirectory(path);
        if (url is not null)
        {
            File.WriteAllText(Path.Combine(path, "host.url"), url + "\n");
        }

        if (key is not null)
        {
            File.WriteAllText(Path.Combine(path, "operator.key"), key + "\n");
        }
    }

    public Task<int> RunAsync(params string[] args) => FedTool.RunAsync(args, Shell, TestContext.Current.CancellationToken);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Text that one thread may read while others write it.</summary>
    private sealed class SharedText : StringWriter
    {
        private readonly Lock _gate = new();

        public override void Write(char value)
        {
            lock (_gate)
            {
                base.Write(value);
            }
        }

        public override void Write(string? value)
        {
            lock (_gate)
            {
                base.Write(value);
            }
        }

        public override void Write(char[] buffer, int index, int count)
        {
            lock (_gate)
            {
                base.Write(buffer, index, count);
            }
        }

        public override void WriteLine(string? value) => Write(value + Environment.NewLine);

        public override string ToString()
        {
            lock (_gate)
            {
                return base.ToString();
            }
        }
    }

    private sealed class WideOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => false;

        public int Width => 500;

        public int Height => 50;

        public void SetEncoding(System.Text.Encoding encoding)
        {
        }
    }
}
