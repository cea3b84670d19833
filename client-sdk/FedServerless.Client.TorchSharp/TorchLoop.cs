using FedServerless.Model;
using TorchSharp;

namespace FedServerless.Client.TorchSharp;

/// <summary>A training loop of the application's own between loading the round's model into a module and storing it again.</summary>
internal sealed class TorchLoop(
    torch.nn.Module module,
    Func<FitContext, CancellationToken, FitResult> fit,
    Func<EvaluateContext, CancellationToken, EvaluationResult>? evaluate,
    TorchOptions? options) : IFedTrainer
{
    private readonly TorchModes _modes = new(module);
    private TorchBinding? _binding;

    public ValueTask<FitResult> FitAsync(FitContext context, CancellationToken cancellationToken)
    {
        var binding = Bind(context.Model);
        _modes.Train();
        using var scope = torch.NewDisposeScope();
        var result = fit(context, cancellationToken);
        foreach (var parameter in module.parameters())
        {
            // A gradient left behind would be part of the next round's first step.
            parameter.grad = null;
        }

        binding.Store(context.Model);
        return ValueTask.FromResult(result);
    }

    public ValueTask<EvaluationResult> EvaluateAsync(EvaluateContext context, CancellationToken cancellationToken)
    {
        if (evaluate is null)
        {
            return ValueTask.FromException<EvaluationResult>(new NotSupportedException("This client does not evaluate."));
        }

        Bind(context.Model);
        _modes.Evaluate();
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        return ValueTask.FromResult(evaluate(context, cancellationToken));
    }

    private TorchBinding Bind(ModelState model)
    {
        if (_binding?.Layout.Digest != model.Layout.Digest)
        {
            _binding = new TorchBinding(module, model.Layout, options);
        }

        _binding.Load(model);
        return _binding;
    }
}
