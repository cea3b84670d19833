using FedServerless.Model;

namespace FedServerless.Client.Training;

/// <summary>
/// Brings a framework's module and a model's layout together: by name, whatever order either has. Everything a framework's adapter
/// has to decide that does not need the framework.
/// </summary>
public static class ModuleLayout
{
    /// <summary>Most problems that an exception's message lists.</summary>
    public const int MaxProblems = 20;

    /// <summary>The layout of a model that a module begins: version 0.</summary>
    /// <param name="tensors">The module's tensors, in the module's order.</param>
    /// <param name="names">The federation's names; null for the module's own.</param>
    /// <exception cref="ArgumentException">The module is no model for a federation; the message lists every problem.</exception>
    public static TensorLayout Create(IReadOnlyList<ModuleTensor> tensors, TensorNames? names = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var problems = new List<string>();
        var federated = Federate(tensors, names ?? TensorNames.Same, problems);
        ThrowIfAny(problems, nameof(tensors));
        return TensorLayout.Create(federated.Select(pair => new TensorSpec(
            pair.Name, [.. pair.Tensor.Shape.Select(dimension => (int)dimension)], pair.Tensor.Role!.Value)));
    }

    /// <summary>Finds each tensor of a layout in a module.</summary>
    /// <param name="layout">The layout of the model that the server sent.</param>
    /// <param name="tensors">The module's tensors.</param>
    /// <param name="names">The federation's names; null for the module's own.</param>
    /// <returns>For each tensor of <see cref="TensorLayout.Tensors"/>, in that order, its index in <paramref name="tensors"/>.</returns>
    /// <exception cref="ArgumentException">The module and the model are not the same tensors; the message lists every difference.</exception>
    public static IReadOnlyList<int> Match(TensorLayout layout, IReadOnlyList<ModuleTensor> tensors, TensorNames? names = null)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(tensors);
        var problems = new List<string>();
        var federated = Federate(tensors, names ?? TensorNames.Same, problems);
        ThrowIfAny(problems, nameof(tensors));

        var byName = federated.ToDictionary(pair => pair.Name, StringComparer.Ordinal);
        var indices = new int[layout.Tensors.Count];
        var missing = new List<TensorSpec>();
        for (var i = 0; i < indices.Length; i++)
        {
            var wanted = layout.Tensors[i];
            if (!byName.Remove(wanted.Name, out var found))
            {
                problems.Add($"the module has no '{wanted.Name}' {Show(wanted.Shape)}");
                missing.Add(wanted);
                continue;
            }

            indices[i] = found.Index;
            problems.AddRange(Differences(wanted, found));
        }

        problems.AddRange(byName.Values.Select(extra => $"the model has no '{extra.Name}' {Show(extra.Tensor.Shape)}{Own(extra)}"));
        ThrowIfAny(problems, nameof(layout), Advise(missing, [.. federated.Where(pair => byName.ContainsKey(pair.Name))]));
        return indices;
    }

    /// <summary>What looks like nothing but a refactoring is said to look like it.</summary>
    private static string Advise(List<TensorSpec> missing, List<Federated> extra) =>
        missing.Count > 0 && missing.Count == extra.Count && missing.Zip(extra).All(pair => SameButForName(pair.First, pair.Second.Tensor))
            ? $" In shape and order they agree: if only names have changed, map them with {nameof(TensorNames)}.{nameof(TensorNames.Map)}, '{extra[0].Tensor.Name}' to '{missing[0].Name}' for the first."
            : "";

    private static bool SameButForName(TensorSpec wanted, ModuleTensor found) =>
        found.Role == wanted.Role && found.Shape.SequenceEqual(wanted.Shape.Select(dimension => (long)dimension));

    private static List<Federated> Federate(IReadOnlyList<ModuleTensor> tensors, TensorNames names, List<string> problems)
    {
        problems.AddRange(names.UnusedBy(tensors.Select(tensor => tensor.Name))
            .Select(rule => $"a rule for names speaks of '{rule}', but the module has no such tensor"));
        var federated = new List<Federated>(tensors.Count);
        var taken = new Dictionary<string, string>(tensors.Count, StringComparer.Ordinal);
        for (var i = 0; i < tensors.Count; i++)
        {
            var tensor = tensors[i];
            if (!names.TryMap(tensor.Name, out var name))
            {
                continue;
            }

            if (tensor.Shape.Any(dimension => dimension is < 1 or > int.MaxValue))
            {
                problems.Add($"'{tensor.Name}' is {Show(tensor.Shape)}; expected dimensions of 1 or more");
            }

            if (tensor.Role is null)
            {
                var expected = tensor.Kind == ModuleTensorKind.Trained ? ModuleTensor.Float32 : $"{ModuleTensor.Float32} or {ModuleTensor.Int64}";
                problems.Add($"'{tensor.Name}' holds {tensor.Type}; expected {expected}");
            }

            if (!taken.TryAdd(name, tensor.Name))
            {
                problems.Add($"'{taken[name]}' and '{tensor.Name}' would both be named '{name}'");
                continue;
            }

            federated.Add(new Federated(i, name, tensor));
        }

        return federated;
    }

    private static IEnumerable<string> Differences(TensorSpec wanted, Federated found)
    {
        if (!found.Tensor.Shape.SequenceEqual(wanted.Shape.Select(dimension => (long)dimension)))
        {
            yield return $"'{wanted.Name}' is {Show(wanted.Shape)} in the model and {Show(found.Tensor.Shape)} in the module{Own(found)}";
        }

        if (found.Tensor.Role != wanted.Role)
        {
            var advice = wanted.Role == TensorRole.Parameter
                ? "; let it take a gradient, keep it on the device, or write version 0 from this module, which gives it its role"
                : "";
            yield return $"'{wanted.Name}' is {Show(wanted.Role)} of the model, but {Show(found.Tensor)} of the module{Own(found)}{advice}";
        }
    }

    private static void ThrowIfAny(List<string> problems, string argument, string advice = "")
    {
        if (problems.Count == 0)
        {
            return;
        }

        var shown = string.Join("; ", problems.Take(MaxProblems));
        var more = problems.Count > MaxProblems ? $"; and {problems.Count - MaxProblems} more" : "";
        throw new ArgumentException($"The module and the federation's model do not go together: {shown}{more}.{advice}", argument);
    }

    private static string Own(Federated found) => found.Name == found.Tensor.Name ? "" : $" ('{found.Tensor.Name}')";

    private static string Show<T>(IEnumerable<T> shape) => $"[{string.Join(", ", shape)}]";

    private static string Show(TensorRole role) => role switch
    {
        TensorRole.Parameter => "a parameter",
        TensorRole.Buffer => "a buffer",
        _ => "an integer",
    };

    private static string Show(ModuleTensor tensor) => tensor.Kind switch
    {
        ModuleTensorKind.Trained => "a parameter",
        ModuleTensorKind.Frozen => "a parameter without a gradient",
        _ => tensor.Type == ModuleTensor.Int64 ? "an integer buffer" : "a buffer",
    };

    private readonly record struct Federated(int Index, string Name, ModuleTensor Tensor);
}
