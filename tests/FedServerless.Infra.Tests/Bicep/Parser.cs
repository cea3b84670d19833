using System.Globalization;

namespace FedServerless.Infra.Tests.Bicep;

/// <summary>
/// Reads the part of Bicep that the templates use: parameters, variables, outputs, resources (existing, conditional, in loops, inside of
/// others), modules, decorators and expressions. What it does not know it refuses. It is no compiler: types and API versions it does not
/// check. The workflow in .github/workflows runs the real one.
/// </summary>
internal sealed class Parser
{
    private static readonly string[][] Precedence = [["||"], ["&&"], ["==", "!="], ["<", "<=", ">", ">="], ["+", "-"], ["*", "/", "%"], ["??"]];
    private readonly string _path;
    private readonly IReadOnlyList<Token> _tokens;
    private int _at;

    private Parser(string path, IReadOnlyList<Token> tokens)
    {
        _path = path;
        _tokens = tokens;
    }

    private Token Current => _tokens[_at];

    public static BicepFile Read(string path, string text) => new Parser(path, new Lexer(path, text).Read()).ReadFile();

    private BicepFile ReadFile()
    {
        var scope = "resourceGroup";
        var declarations = new List<Declaration>();
        for (SkipLines(); Current.Kind != TokenKind.End; SkipLines())
        {
            var decorators = ReadDecorators();
            if (TryWord("targetScope"))
            {
                Take("=");
                scope = PlainText();
            }
            else
            {
                declarations.Add(ReadDeclaration(decorators));
            }

            EndOfLine();
        }

        var repeated = declarations.Where(declaration => declaration is not Output).GroupBy(declaration => declaration.Symbol).FirstOrDefault(group => group.Count() > 1);
        return repeated is null ? new BicepFile(_path, scope, declarations) : throw Problem($"'{repeated.Key}' is declared twice");
    }

    private List<Call> ReadDecorators()
    {
        var decorators = new List<Call>();
        while (TrySign("@"))
        {
            decorators.Add(ReadExpression() as Call ?? throw Problem("a decorator is a call"));
            SkipLines();
        }

        return decorators;
    }

    private Declaration ReadDeclaration(List<Call> decorators)
    {
        var keyword = Word();
        var symbol = Word();
        return keyword switch
        {
            "param" => new Parameter(symbol, Word(), TrySign("=") ? ReadExpression() : null, decorators),
            "var" => new Variable(symbol, AfterEquals(), decorators),
            "output" => new Output(symbol, Word(), AfterEquals(), decorators),
            "resource" => ReadDeployed(symbol, isModule: false, decorators),
            "module" => ReadDeployed(symbol, isModule: true, decorators),
            _ => throw Problem($"'{keyword}' begins no declaration"),
        };
    }

    private Deployed ReadDeployed(string symbol, bool isModule, List<Call> decorators)
    {
        var kind = PlainText();
        var existing = TryWord("existing");
        Take("=");
        Expression? condition = null;
        if (TryWord("if"))
        {
            Take("(");
            condition = ReadExpression();
            Take(")");
        }

        var value = ReadExpression();
        return (value is Loop loop ? loop.Body : value) is ObjectOf
            ? new Deployed(symbol, isModule, kind, existing, condition, value, decorators)
            : throw Problem($"the body of '{symbol}' is no object");
    }

    private Expression AfterEquals()
    {
        Take("=");
        return ReadExpression();
    }

    private Expression ReadExpression()
    {
        var condition = ReadBinary(0);
        if (!TrySign("?"))
        {
            return condition;
        }

        var yes = ReadExpression();
        Take(":");
        return new Choice(condition, yes, ReadExpression());
    }

    private Expression ReadBinary(int level)
    {
        if (level == Precedence.Length)
        {
            return ReadUnary();
        }

        var left = ReadBinary(level + 1);
        while (Current.Kind == TokenKind.Sign && Precedence[level].Contains(Current.Value))
        {
            var sign = _tokens[_at++].Value;
            left = new Binary(sign, left, ReadBinary(level + 1));
        }

        return left;
    }

    private Expression ReadUnary()
    {
        if (TrySign("!"))
        {
            return new Unary("!", ReadUnary());
        }

        return TrySign("-") ? new Unary("-", ReadUnary()) : ReadPostfix();
    }

    private Expression ReadPostfix()
    {
        var target = ReadPrimary();
        while (true)
        {
            if (TrySign("."))
            {
                var name = Word();
                target = TrySign("(") ? new Call(target, name, ReadArguments()) : new Member(target, name, IsNested: false);
            }
            else if (TrySign("::"))
            {
                target = new Member(target, Word(), IsNested: true);
            }
            else if (TrySign("["))
            {
                target = new Item(target, ReadExpression());
                Take("]");
            }
            else if (TrySign("!"))
            {
                target = new Unary("x!", target);
            }
            else
            {
                return target;
            }
        }
    }

    private Expression ReadPrimary()
    {
        if (Current.Kind == TokenKind.Text)
        {
            return ReadText(_tokens[_at++]);
        }

        if (Current.Kind == TokenKind.Number)
        {
            return new Constant(long.Parse(_tokens[_at++].Value, CultureInfo.InvariantCulture));
        }

        if (TrySign("{"))
        {
            return ReadObject();
        }

        if (TrySign("["))
        {
            return ReadArray();
        }

        if (TrySign("("))
        {
            var inner = ReadExpression();
            Take(")");
            return inner;
        }

        var word = Word();
        return word switch
        {
            "true" => new Constant(true),
            "false" => new Constant(false),
            "null" => new Constant(null),
            _ => TrySign("(") ? new Call(null, word, ReadArguments()) : new Name(word),
        };
    }

    private Text ReadText(Token token) => new([.. token.Parts!.Select<object, Expression>(part =>
        part is List<Token> inside ? new Parser(_path, inside).ReadWhole() : new Fragment((string)part))]);

    private Expression ReadWhole()
    {
        var expression = ReadExpression();
        return Current.Kind == TokenKind.End ? expression : throw Problem($"'{Current.Value}' is too much in text");
    }

    private List<Expression> ReadArguments()
    {
        var arguments = new List<Expression>();
        for (SkipLines(); !TrySign(")"); SkipLines())
        {
            if (arguments.Count > 0)
            {
                Take(",");
                SkipLines();
            }

            arguments.Add(ReadExpression());
        }

        return arguments;
    }

    private Expression ReadArray()
    {
        SkipLines();
        if (TryWord("for"))
        {
            return ReadLoop();
        }

        var items = new List<Expression>();
        while (!TrySign("]"))
        {
            items.Add(ReadExpression());
            Separate("]");
        }

        return new ArrayOf(items);
    }

    private Loop ReadLoop()
    {
        var variables = new List<string>();
        if (TrySign("("))
        {
            variables.Add(Word());
            Take(",");
            variables.Add(Word());
            Take(")");
        }
        else
        {
            variables.Add(Word());
        }

        if (!TryWord("in"))
        {
            throw Problem("'in' is missing");
        }

        var source = ReadExpression();
        Take(":");
        var body = ReadExpression();
        SkipLines();
        Take("]");
        return new Loop(variables, source, body);
    }

    private ObjectOf ReadObject()
    {
        var properties = new List<Property>();
        var nested = new List<Declaration>();
        for (SkipLines(); !TrySign("}"); Separate("}"))
        {
            if (Current is { Kind: TokenKind.Word, Value: "resource" } && _tokens[_at + 1].Kind == TokenKind.Word)
            {
                nested.Add(ReadDeclaration([]));
                continue;
            }

            Expression key = Current.Kind == TokenKind.Text ? ReadText(_tokens[_at++]) : new Text([new Fragment(Word())]);
            Take(":");
            properties.Add(new Property(key, ReadExpression()));
        }

        var repeated = properties.Where(property => property.Name is not null).GroupBy(property => property.Name).FirstOrDefault(group => group.Count() > 1);
        return repeated is null ? new ObjectOf(properties, nested) : throw Problem($"property '{repeated.Key}' stands twice in one object");
    }

    private void Separate(string closing)
    {
        if (Current is not { Kind: TokenKind.Sign } || Current.Value != closing)
        {
            if (!TrySign(",") && Current.Kind != TokenKind.Line)
            {
                throw Problem($"expected ',', a new line or '{closing}' before '{Current.Value}'");
            }

            SkipLines();
        }
    }

    private void SkipLines()
    {
        while (Current.Kind == TokenKind.Line)
        {
            _at++;
        }
    }

    private void EndOfLine()
    {
        if (Current.Kind is not (TokenKind.Line or TokenKind.End))
        {
            throw Problem($"'{Current.Value}' is too much on the line");
        }
    }

    private string Word() => Current.Kind == TokenKind.Word ? _tokens[_at++].Value : throw Problem($"expected a name, not '{Current.Value}'");

    private string PlainText() => Current.Kind == TokenKind.Text && ReadText(_tokens[_at++]).Plain is { } plain ? plain : throw Problem("expected plain text");

    private bool TryWord(string word) => Try(TokenKind.Word, word);

    private bool TrySign(string sign) => Try(TokenKind.Sign, sign);

    private bool Try(TokenKind kind, string value)
    {
        if (Current.Kind != kind || Current.Value != value)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Take(string sign)
    {
        if (!TrySign(sign))
        {
            throw Problem($"expected '{sign}', not '{Current.Value}'");
        }
    }

    private BicepSyntaxException Problem(string problem) => new(_path, Current.Line, problem);
}
