using System.Runtime.CompilerServices;
using FedServerless.Client.TorchSharp;
using FedServerless.Client.Training;
using FedServerless.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace FedServerless.TorchSharp.Tests;

/// <summary>The module's tensors as a model's arrays.</summary>
public sealed class TorchBindingTests
{
    [Fact]
    public void Load_OnTheCpu_ModuleAndModelAreTheSameMemory()
    {
        using var module = nn.Linear(2, 1);
        var model = TorchModelFile.Read(module);
        var binding = new TorchBinding(module, model.Layout);
        binding.Load(model);

        model.Values[0] = 7;
        using (no_grad())
        {
            module.bias!.fill_(3);
        }

        Assert.Equal(7, module.weight![0, 0].item<float>());
        Assert.Equal(3, model.Values[2]);
    }

    [Fact]
    public void Load_OrderOfAnotherTool_FollowsTheNames()
    {
        using var module = nn.Linear(2, 1);
        var layout = TensorLayout.Create([new TensorSpec("bias", [1], TensorRole.Parameter), new TensorSpec("weight", [1, 2], TensorRole.Parameter)]);
        var binding = new TorchBinding(module, layout);

        binding.Load(new ModelState(layout, [5, 6, 7], []));

        Assert.Equal([6f, 7f], module.weight!.data<float>().ToArray());
        Assert.Equal([5f], module.bias!.data<float>().ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Store_IntoAnotherModel_CopiesWhatTheModuleHas(bool staged)
    {
        using var module = new Mixed();
        var model = TorchModelFile.Read(module);
        var binding = new TorchBinding(module, model.Layout, null, staged);
        binding.Load(model);
        using (no_grad())
        {
            module.Norm.weight!.fill_(2);
            module.Norm.num_batches_tracked!.fill_(9);
        }

        var other = new ModelState(model.Layout, new float[model.Values.Length], new long[1]);
        binding.Store(other);
        binding.Store(model);

        Assert.Equal(TorchModelFile.Read(module).Values, other.Values);
        Assert.Equal([9], other.Integers);
        Assert.Equal(other.Values, model.Values);
    }

    [Fact]
    public void Load_AfterAnotherBindingOfTheModule_TakesItBack()
    {
        using var module = nn.Linear(2, 1);
        var (first, second) = (TorchModelFile.Read(module), TorchModelFile.Read(module));
        var (one, two) = (new TorchBinding(module, first.Layout), new TorchBinding(module, first.Layout));
        one.Load(first);
        two.Load(second);

        one.Load(first);
        first.Values[0] = 7;

        Assert.Equal(7, module.weight![0, 0].item<float>());
    }

    [Fact]
    public void Load_OfAnotherModel_IsRefused()
    {
        using var module = nn.Linear(2, 1);
        var binding = new TorchBinding(module, TorchModelFile.Read(module).Layout);

        var refusal = Assert.Throws<ArgumentException>(() => binding.Load(TorchModelFile.Read(Modules.Perceptron())));

        Assert.Contains("layout is", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_ToAnotherLayout_ListsEveryDifference()
    {
        var refusal = Assert.Throws<ArgumentException>(() => new TorchBinding(nn.Linear(2, 1), Modules.PerceptronLayout()));

        Assert.Contains("the module has no 'fc1.weight' [5, 6]", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("the model has no 'bias' [1]", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_Doubles_IsRefused()
    {
        var layout = TorchModelFile.Read(nn.Linear(2, 1)).Layout;

        var refusal = Assert.Throws<ArgumentException>(() => new TorchBinding(nn.Linear(2, 1, dtype: float64), layout));

        Assert.Contains("'weight' holds Float64; expected Float32", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_TensorKeptOnTheDevice_IsNeitherReadNorWritten()
    {
        var module = Modules.Perceptron();
        var names = TensorNames.Same.Keep("fc2").Map("fc1", "body");
        var model = TorchModelFile.Read(module, names);
        var own = TorchModelFile.Read(module).Values[^18..];
        new TorchBinding(module, model.Layout, new TorchOptions { Names = names }).Load(new ModelState(model.Layout, new float[35], []));

        Assert.Equal(["body.weight", "body.bias"], model.Layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([.. new float[35], .. own], TorchModelFile.Read(module).Values);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rounds_AThousand_LeaveNothingBehind(bool staged)
    {
        // 1 MB a model: a round's weights, gradients or pins that stayed would be a gigabyte or more by the end.
        using var module = nn.Linear(500, 500);
        var objective = new TorchObjective(module, (outputs, targets) => nn.functional.mse_loss(outputs, targets));
        var samples = TorchSamples.Of(ones(4, 500), zeros(4, 500));
        var start = TorchModelFile.Read(module);
        var model = new TorchModel(objective, samples, start.Layout, null, staged);
        var gradient = new float[start.Values.Length];
        WeakReference? first = null;
        var (tensors, memory) = (0L, 0L);
        for (var round = 0; round < 1000; round++)
        {
            var reference = Round(model, start, gradient);
            first ??= reference;
            if (round == 20)
            {
                (tensors, memory) = (DisposeScopeManager.Statistics.ThreadTotalLiveCount, Environment.WorkingSet);
            }
        }

        Assert.Equal(tensors, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        GC.Collect();
        Assert.False(first!.IsAlive);
        Assert.InRange(Environment.WorkingSet - memory, long.MinValue, 300L << 20);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Round(TorchModel model, ModelState start, float[] gradient)
    {
        var state = start.Clone();
        model.LossAndGradient(state, [0, 1, 2, 3], gradient);
        model.Evaluate(state, CancellationToken.None);
        return new WeakReference(state.Values);
    }
}
