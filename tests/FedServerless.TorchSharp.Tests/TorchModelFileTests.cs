using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Testing.Federation.Hosted;
using static TorchSharp.torch;

namespace FedServerless.TorchSharp.Tests;

public sealed class TorchModelFileTests
{
    [Fact]
    public void Write_ModuleWithStatistics_KeepsEveryRole()
    {
        using var module = new Mixed();
        using var file = new MemoryStream();

        TorchModelFile.Write(module, file);

        var layout = ModelStateFile.Read(file.ToArray()).Layout;
        Assert.Equal(
            [
                ("conv.weight", TensorRole.Parameter), ("conv.bias", TensorRole.Parameter), ("norm.weight", TensorRole.Parameter),
                ("norm.bias", TensorRole.Parameter), ("last.weight", TensorRole.Parameter), ("last.bias", TensorRole.Parameter),
                ("norm.running_mean", TensorRole.Buffer), ("norm.running_var", TensorRole.Buffer), ("norm.num_batches_tracked", TensorRole.Integer),
            ],
            layout.Tensors.Select(tensor => (tensor.Name, tensor.Role)));
    }

    [Fact]
    public void Load_WhatWriteWrote_MakesTheModulesEqual()
    {
        using var folder = new ScratchFolder();
        using Mixed module = new(), other = new();
        var path = folder.Combine("v0.safetensors");
        TorchModelFile.Write(module, path);

        TorchModelFile.Load(other, path);

        Assert.Equal(TorchModelFile.Read(module).Values, TorchModelFile.Read(other).Values);
        using var input = rand(2, 1, 4, 4);
        module.eval();
        other.eval();
        Assert.Equal(module.call(input).data<float>().ToArray(), other.call(input).data<float>().ToArray());
    }

    [Fact]
    public void Load_IntoAModuleThatWasRenamed_FollowsTheMap()
    {
        using var folder = new ScratchFolder();
        var path = folder.Combine("v0.safetensors");
        TorchModelFile.Write(Modules.Perceptron(), path);
        var renamed = nn.Sequential(("body", Modules.Perceptron()));

        var refusal = Assert.Throws<ArgumentException>(() => TorchModelFile.Load(renamed, path));
        TorchModelFile.Load(renamed, path, TensorNames.Same.Map("body", ""));

        Assert.Contains("'body.fc1.weight' to 'fc1.weight'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(ModelStateFile.Read(File.ReadAllBytes(path)).Values, TorchModelFile.Read(renamed).Values);
    }

    [Fact]
    public void Load_ThenTrainingTheModule_LeavesTheModelAlone()
    {
        using var module = nn.Linear(2, 1);
        var state = TorchModelFile.Read(module);
        TorchModelFile.Load(module, state);
        using (no_grad())
        {
            module.weight!.fill_(8);
        }

        Assert.DoesNotContain(8f, state.Values);
    }

    [Fact]
    public void Write_RefusedModule_LeavesTheFileThatWasThere()
    {
        using var folder = new ScratchFolder();
        var path = folder.Combine("v0.safetensors");
        File.WriteAllText(path, "old");

        Assert.Throws<ArgumentException>(() => TorchModelFile.Write(nn.Linear(2, 1, dtype: float64), path));

        Assert.Equal("old", File.ReadAllText(path));
    }

    [Fact]
    public void Read_StridedParameter_IsRowMajor()
    {
        using var module = nn.Linear(2, 3);
        using (no_grad())
        {
            module.weight!.set_(arange(6, dtype: float32).view(2, 3).t());
        }

        Assert.Equal([0f, 3, 1, 4, 2, 5], TorchModelFile.Read(module).Values[..6]);
    }
}
