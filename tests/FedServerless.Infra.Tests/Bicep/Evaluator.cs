namespace FedServerless.Infra.Tests.Bicep;

/// <summary>Works out what a template says for given parameters: text, choices and unions of objects. Enough for application settings.</summary>
internal sealed class Evaluator(BicepFile file, IReadOnlyDictionary<string, object?> parameters)
{
    public object? Value(Expression expression) => expression switch
    {
        Constant constant => constant.Value,
        Fragment fragment => fragment.Value,
        Text text => string.Concat(text.Parts.Select(Value)),
        Name name => Symbol(name.Symbol),
        Member member => ((Dictionary<string, object?>)Value(member.Target)!)[member.Property],
        Choice choice => Value(choice.Condition) is true ? Value(choice.Yes) : Value(choice.No),
        Unary { Operator: "!" } not => Value(not.Operand) is not true,
        Binary { Operator: "==" } equal => Equals(Value(equal.Left), Value(equal.Right)),
        Call { Function: "empty" } call => Value(call.Arguments[0]) is null or "",
        Call { Function: "union" } call => Union(call.Arguments),
        ObjectOf body => body.Properties.ToDictionary(property => property.Name!, property => Value(property.Value), StringComparer.Ordinal),
        _ => throw new NotSupportedException($"{file.Path}: {expression} is not worked out here."),
    };

    private object? Symbol(string symbol) => file.Declarations.FirstOrDefault(declaration => declaration.Symbol == symbol && declaration is not Output) switch
    {
        Variable variable => Value(variable.Value),
        Parameter parameter => parameters.TryGetValue(symbol, out var given) ? given
            : parameter.Default is { } otherwise ? Value(otherwise) : throw new KeyNotFoundException($"{file.Path}: '{symbol}' is not given."),
        Deployed when parameters.TryGetValue(symbol, out var deployed) => deployed,
        _ => throw new KeyNotFoundException($"{file.Path}: nothing declares '{symbol}'."),
    };

    private Dictionary<string, object?> Union(IReadOnlyList<Expression> arguments)
    {
        var all = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in arguments.SelectMany(argument => (Dictionary<string, object?>)Value(argument)!))
        {
            all[name] = value;
        }

        return all;
    }
}
