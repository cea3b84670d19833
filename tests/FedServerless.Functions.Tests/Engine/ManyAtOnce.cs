using System.Reflection;
using DurableTask.Core;

namespace FedServerless.Functions.Tests.Engine;

/// <summary>
/// The in-process backend takes as many pieces of work at once as the machine has cores and then waits half a second: on two cores,
/// four activities a second. Nothing of it needs a core.
/// </summary>
public class ManyAtOnce : DispatchProxy
{
    private const int Pieces = 64;

    private IOrchestrationService _inner = null!;

    /// <summary>The same backend, taking more at once.</summary>
    public static IOrchestrationService Over(IOrchestrationService inner)
    {
        var proxy = Create<IOrchestrationService, ManyAtOnce>();
        ((ManyAtOnce)(object)proxy)._inner = inner;
        return proxy;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        ArgumentNullException.ThrowIfNull(targetMethod);
        return targetMethod.Name.StartsWith("get_MaxConcurrent", StringComparison.Ordinal) ? Pieces : targetMethod.Invoke(_inner, args);
    }
}
