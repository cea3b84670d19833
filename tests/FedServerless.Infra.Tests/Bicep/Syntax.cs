namespace FedServerless.Infra.Tests.Bicep;

/// <summary>An expression of the language, as far as the templates use it.</summary>
internal abstract record Expression
{
    /// <summary>The expressions directly inside.</summary>
    public virtual IEnumerable<Expression> Children => [];

    /// <summary>This and everything inside, outermost first.</summary>
    public IEnumerable<Expression> All() => Children.SelectMany(child => child.All()).Prepend(this);
}

/// <summary>A number, a truth value or null.</summary>
internal sealed record Constant(object? Value) : Expression;

/// <summary>Text, with the expressions that stand in it.</summary>
internal sealed record Text(IReadOnlyList<Expression> Parts) : Expression
{
    public override IEnumerable<Expression> Children => Parts;

    /// <summary>The text where nothing stands in it, else null.</summary>
    public string? Plain => Parts.All(part => part is Fragment) ? string.Concat(Parts.Cast<Fragment>().Select(part => part.Value)) : null;
}

/// <summary>A piece of text between expressions.</summary>
internal sealed record Fragment(string Value) : Expression;

/// <summary>An array.</summary>
internal sealed record ArrayOf(IReadOnlyList<Expression> Items) : Expression
{
    public override IEnumerable<Expression> Children => Items;
}

/// <summary>A property of an object.</summary>
internal sealed record Property(Expression Key, Expression Value)
{
    public string? Name => (Key as Text)?.Plain;
}

/// <summary>An object; a resource's body may also declare resources.</summary>
internal sealed record ObjectOf(IReadOnlyList<Property> Properties, IReadOnlyList<Declaration> Nested) : Expression
{
    public override IEnumerable<Expression> Children =>
        [.. Properties.SelectMany(property => new[] { property.Key, property.Value }), .. Nested.SelectMany(declaration => declaration.Expressions)];

    /// <summary>The value at a path of names, or null.</summary>
    public Expression? At(params ReadOnlySpan<string> path)
    {
        Expression? found = this;
        foreach (var name in path)
        {
            found = (found as ObjectOf)?.Properties.FirstOrDefault(property => property.Name == name)?.Value;
        }

        return found;
    }
}

/// <summary><c>[for item in source: body]</c>.</summary>
internal sealed record Loop(IReadOnlyList<string> Variables, Expression Source, Expression Body) : Expression
{
    public override IEnumerable<Expression> Children => [Source, Body];
}

/// <summary><c>condition ? yes : no</c>.</summary>
internal sealed record Choice(Expression Condition, Expression Yes, Expression No) : Expression
{
    public override IEnumerable<Expression> Children => [Condition, Yes, No];
}

/// <summary>An operator between two expressions.</summary>
internal sealed record Binary(string Operator, Expression Left, Expression Right) : Expression
{
    public override IEnumerable<Expression> Children => [Left, Right];
}

/// <summary><c>!x</c>, <c>-x</c>, or <c>x!</c>.</summary>
internal sealed record Unary(string Operator, Expression Operand) : Expression
{
    public override IEnumerable<Expression> Children => [Operand];
}

/// <summary>A symbol.</summary>
internal sealed record Name(string Symbol) : Expression;

/// <summary><c>target.name</c> or, for a nested resource, <c>target::name</c>.</summary>
internal sealed record Member(Expression Target, string Property, bool IsNested) : Expression
{
    public override IEnumerable<Expression> Children => [Target];
}

/// <summary><c>target[index]</c>.</summary>
internal sealed record Item(Expression Target, Expression Index) : Expression
{
    public override IEnumerable<Expression> Children => [Target, Index];
}

/// <summary><c>function(arguments)</c>, on a target or not.</summary>
internal sealed record Call(Expression? Target, string Function, IReadOnlyList<Expression> Arguments) : Expression
{
    public override IEnumerable<Expression> Children => Target is null ? Arguments : Arguments.Prepend(Target);
}

/// <summary>A declaration at the top of a file, or a resource in a resource.</summary>
internal abstract record Declaration(string Symbol, IReadOnlyList<Call> Decorators)
{
    public abstract IEnumerable<Expression> Expressions { get; }

    /// <summary>What <c>@description</c> says, or null.</summary>
    public string? Description => (Decorators.FirstOrDefault(call => call.Function == "description")?.Arguments is [Text text]) ? text.Plain : null;
}

/// <summary><c>param symbol type = default</c>.</summary>
internal sealed record Parameter(string Symbol, string Type, Expression? Default, IReadOnlyList<Call> Decorators) : Declaration(Symbol, Decorators)
{
    public override IEnumerable<Expression> Expressions => Default is null ? [] : [Default];
}

/// <summary><c>var symbol = value</c>.</summary>
internal sealed record Variable(string Symbol, Expression Value, IReadOnlyList<Call> Decorators) : Declaration(Symbol, Decorators)
{
    public override IEnumerable<Expression> Expressions => [Value];
}

/// <summary><c>output symbol type = value</c>.</summary>
internal sealed record Output(string Symbol, string Type, Expression Value, IReadOnlyList<Call> Decorators) : Declaration(Symbol, Decorators)
{
    public override IEnumerable<Expression> Expressions => [Value];
}

/// <summary><c>resource symbol 'type@version' = …</c> or <c>module symbol 'path' = …</c>.</summary>
/// <param name="Symbol">Its name.</param>
/// <param name="IsModule">Whether it is a module.</param>
/// <param name="Kind">Type and version, or path.</param>
/// <param name="IsExisting">Whether it only refers to something that exists.</param>
/// <param name="Condition">What stands after <c>if</c>, or null.</param>
/// <param name="Value">The body, or a loop of bodies.</param>
/// <param name="Decorators">What stands before it.</param>
internal sealed record Deployed(string Symbol, bool IsModule, string Kind, bool IsExisting, Expression? Condition, Expression Value, IReadOnlyList<Call> Decorators)
    : Declaration(Symbol, Decorators)
{
    public override IEnumerable<Expression> Expressions => Condition is null ? [Value] : [Condition, Value];

    public ObjectOf Body => (ObjectOf)(Value is Loop loop ? loop.Body : Value);

    /// <summary>The type without its version.</summary>
    public string Type => Kind.Split('@')[0];
}

/// <summary>A file of declarations.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Scope">Its target scope; <c>resourceGroup</c> where it says nothing.</param>
/// <param name="Declarations">What it declares, in its order.</param>
internal sealed record BicepFile(string Path, string Scope, IReadOnlyList<Declaration> Declarations)
{
    public IEnumerable<Parameter> Parameters => Declarations.OfType<Parameter>();

    public IEnumerable<Output> Outputs => Declarations.OfType<Output>();

    public IEnumerable<Deployed> Modules => Declarations.OfType<Deployed>().Where(deployed => deployed.IsModule);

    /// <summary>Resources, those inside of others included, by their full type.</summary>
    public IEnumerable<Deployed> Resources => Declarations.OfType<Deployed>().Where(deployed => !deployed.IsModule).SelectMany(Unfold);

    /// <summary>Every expression in it, at any depth.</summary>
    public IEnumerable<Expression> Expressions => Declarations.SelectMany(declaration => declaration.Expressions).SelectMany(expression => expression.All());

    private static IEnumerable<Deployed> Unfold(Deployed resource) => resource.Body.Nested.Cast<Deployed>()
        .Select(inner => inner with { Kind = $"{resource.Type}/{inner.Kind}@{resource.Kind.Split('@')[1]}" })
        .SelectMany(Unfold).Prepend(resource);
}
