using System.Diagnostics.CodeAnalysis;

namespace FedServerless.Client.Training;

/// <summary>
/// From a module's names to the federation's. A framework names tensors after the fields of a class, so that renaming a private
/// field would make another model of it; a map keeps the federation's names while the code moves on. Immutable.
/// </summary>
/// <remarks>
/// A rule names a tensor, or all below a point of the tree: <c>encoder</c> means <c>encoder</c> and <c>encoder.…</c>, never
/// <c>encoder2.…</c>; an empty name means all. Of several rules the longest counts, and one rule is applied once.
/// </remarks>
public sealed class TensorNames
{
    private readonly SortedDictionary<string, string?> _rules;

    private TensorNames(SortedDictionary<string, string?> rules) => _rules = rules;

    /// <summary>Every tensor under the module's own name.</summary>
    public static TensorNames Same { get; } = new(new SortedDictionary<string, string?>(StringComparer.Ordinal));

    /// <summary>Adds: what the module has at <paramref name="from"/> is <paramref name="to"/> to the federation.</summary>
    /// <param name="from">A tensor's name in the module, or the part of it before a dot; empty for all.</param>
    /// <param name="to">What stands for it; empty takes the part away.</param>
    /// <exception cref="ArgumentException">There is a rule for <paramref name="from"/> already.</exception>
    public TensorNames Map(string from, string to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        return With(from, to);
    }

    /// <summary>
    /// Adds: what the module has at <paramref name="from"/> stays on the device. It is neither sent nor received, and the built-in
    /// solvers do not train it: a head of the device's own, or batch norms as in FedBN (Li et al. 2021, arXiv:2102.07623).
    /// </summary>
    /// <param name="from">A tensor's name in the module, or the part of it before a dot.</param>
    /// <exception cref="ArgumentException">There is a rule for <paramref name="from"/> already.</exception>
    public TensorNames Keep(string from)
    {
        ArgumentException.ThrowIfNullOrEmpty(from);
        return With(from, null);
    }

    /// <summary>The federation's name of a tensor.</summary>
    /// <param name="name">The module's name.</param>
    /// <param name="federated">The federation's name; null for a tensor that stays on the device.</param>
    /// <returns>False for a tensor that stays on the device.</returns>
    public bool TryMap(string name, [NotNullWhen(true)] out string? federated)
    {
        ArgumentNullException.ThrowIfNull(name);
        var rule = RuleFor(name);
        federated = rule is null ? name : Apply(name, rule, _rules[rule]);
        return federated is not null;
    }

    /// <summary>Rules that speak of none of these tensors: left behind by a refactoring, most likely.</summary>
    internal IEnumerable<string> UnusedBy(IEnumerable<string> names) =>
        _rules.Keys.Except(names.Select(RuleFor).OfType<string>(), StringComparer.Ordinal);

    private static string? Apply(string name, string from, string? to)
    {
        if (to is null)
        {
            return null;
        }

        var rest = name[from.Length..].TrimStart('.');
        return rest.Length == 0 || to.Length == 0 ? to + rest : $"{to}.{rest}";
    }

    private string? RuleFor(string name)
    {
        for (var end = name.Length; end >= 0; end = end > 0 ? Math.Max(name.LastIndexOf('.', end - 1), 0) : -1)
        {
            if (_rules.ContainsKey(name[..end]))
            {
                return name[..end];
            }
        }

        return null;
    }

    private TensorNames With(string from, string? to)
    {
        var rules = new SortedDictionary<string, string?>(_rules, StringComparer.Ordinal);
        return rules.TryAdd(from, to)
            ? new TensorNames(rules)
            : throw new ArgumentException($"There are two rules for '{from}'; expected one.", nameof(from));
    }
}
