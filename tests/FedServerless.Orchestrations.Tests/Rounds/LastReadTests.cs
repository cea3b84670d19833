using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Testing.Storage;

namespace FedServerless.Orchestrations.Tests.Rounds;

public sealed class LastReadTests
{
    private const string Name = "runs/r/control.json";

    private readonly InMemoryObjectStore _disk = new();

    [Fact]
    public async Task FindAsync_LargeAndUnchanged_IsNotReadAgain()
    {
        var last = new LastRead<ControlDocument>(_disk, StoreJson.Default.ControlDocument);
        await PutAsync("run");

        var first = await last.FindAsync(Name, _ => true, CancellationToken.None);

        Assert.Same(first, await last.FindAsync(Name, _ => true, CancellationToken.None));
    }

    [Fact]
    public async Task FindAsync_WrittenAnew_IsReadAgain()
    {
        var last = new LastRead<ControlDocument>(_disk, StoreJson.Default.ControlDocument);
        await PutAsync("run");
        await last.FindAsync(Name, _ => true, CancellationToken.None);
        await PutAsync("stop");

        Assert.Equal("stop", (await last.FindAsync(Name, _ => true, CancellationToken.None))!.Value.Desired);
    }

    [Fact]
    public async Task FindAsync_Deleted_IsGone()
    {
        var last = new LastRead<ControlDocument>(_disk, StoreJson.Default.ControlDocument);
        await PutAsync("run");
        await last.FindAsync(Name, _ => true, CancellationToken.None);
        await _disk.DeleteAsync(Name, CancellationToken.None);

        Assert.Null(await last.FindAsync(Name, _ => true, CancellationToken.None));
    }

    [Fact]
    public async Task FindAsync_Small_IsNotKept()
    {
        var last = new LastRead<ControlDocument>(_disk, StoreJson.Default.ControlDocument);
        await PutAsync("run");
        var first = await last.FindAsync(Name, _ => false, CancellationToken.None);

        Assert.NotSame(first, await last.FindAsync(Name, _ => false, CancellationToken.None));
    }

    private Task PutAsync(string desired) => _disk.PutAsync(
        Name, new ControlDocument(desired, null), StoreJson.Default.ControlDocument, PutCondition.Overwrite, CancellationToken.None);
}
