using FedServerless.Model;

namespace FedServerless.Core.Tests.Model;

public sealed class ModelGoldenTests
{
    [Fact]
    public void Write_GoldenModel_GivesTheSameBytesForEver()
    {
        var layout = TensorLayout.Create(
        [
            new("net.0.weight", [2, 3], TensorRole.Parameter),
            new("net.1.running_var", [2], TensorRole.Buffer),
            new("net.1.num_batches_tracked", [], TensorRole.Integer),
            new("net.0.bias", [2], TensorRole.Parameter),
        ]);
        var state = new ModelState(layout, [1, -2, 0.5f, 3.25f, -0f, 1024, 7, -8, 1, 1.5f], [1 << 20]);

        GoldenFile.Check(
            "Model/Golden/model-v1.safetensors",
            ModelStateFile.ToBytes(state, new Dictionary<string, string> { ["model"] = "digits", ["note"] = "Prüfung \"1\"" }));
    }
}
