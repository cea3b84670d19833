using System.Globalization;
using System.Text;

namespace FedServerless.Infra.Tests.Bicep;

/// <summary>What a token is.</summary>
internal enum TokenKind
{
    Word,
    Number,
    Text,
    Sign,
    Line,
    End,
}

/// <summary>A token; text carries the tokens of the expressions that stand in it.</summary>
internal sealed record Token(TokenKind Kind, string Value, int Line, IReadOnlyList<object>? Parts = null);

/// <summary>The file is not in the part of the language that is read here.</summary>
internal sealed class BicepSyntaxException(string path, int line, string problem) : Exception($"{path}({line}): {problem}");

/// <summary>Splits a file into tokens.</summary>
internal sealed class Lexer(string path, string text)
{
    private static readonly string[] Signs = ["==", "!=", "<=", ">=", "&&", "||", "??", "::", "{", "}", "[", "]", "(", ")", ":", ",", ".", "=", "!", "<", ">", "+", "-", "*", "/", "%", "?", "@"];
    private int _at;
    private int _line = 1;

    public List<Token> Read()
    {
        var tokens = new List<Token>();
        while (_at < text.Length)
        {
            if (Next() is { } token)
            {
                tokens.Add(token);
            }
        }

        tokens.Add(new Token(TokenKind.End, "", _line));
        return tokens;
    }

    private Token? Next()
    {
        var c = text[_at];
        if (c == '\n')
        {
            _at++;
            return new Token(TokenKind.Line, "\n", _line++);
        }

        if (char.IsWhiteSpace(c))
        {
            _at++;
            return null;
        }

        if (Starts("//"))
        {
            _at = text.IndexOf('\n', _at) is var end and >= 0 ? end : text.Length;
            return null;
        }

        if (Starts("'''"))
        {
            throw Problem("text over several lines is not read here");
        }

        return c == '\'' ? ReadText() : char.IsAsciiLetter(c) || c == '_' ? ReadWord(TokenKind.Word) : char.IsAsciiDigit(c) ? ReadWord(TokenKind.Number) : ReadSign();
    }

    private Token ReadWord(TokenKind kind)
    {
        var start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
        {
            _at++;
        }

        return new Token(kind, text[start.._at], _line);
    }

    private Token ReadSign()
    {
        var sign = Signs.FirstOrDefault(Starts) ?? throw Problem($"'{text[_at]}' is no sign of the language");
        _at += sign.Length;
        return new Token(TokenKind.Sign, sign, _line);
    }

    private Token ReadText()
    {
        var parts = new List<object>();
        var plain = new StringBuilder();
        for (_at++; ;)
        {
            if (_at >= text.Length || text[_at] == '\n')
            {
                throw Problem("text does not end on its line");
            }

            var c = text[_at++];
            if (c == '\'')
            {
                parts.Add(plain.ToString());
                return new Token(TokenKind.Text, "", _line, parts);
            }

            if (c == '\\')
            {
                plain.Append(Escaped());
            }
            else if (c == '$' && _at < text.Length && text[_at] == '{')
            {
                parts.Add(plain.ToString());
                plain.Clear();
                _at++;
                parts.Add(ReadInside());
            }
            else
            {
                plain.Append(c);
            }
        }
    }

    private char Escaped()
    {
        var c = text[_at++];
        return c switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '\\' or '\'' or '$' => c,
            _ => throw Problem(string.Create(CultureInfo.InvariantCulture, $"'\\{c}' is no escape")),
        };
    }

    // Up to the brace that closes the expression.
    private List<Token> ReadInside()
    {
        var tokens = new List<Token>();
        for (var depth = 0; ;)
        {
            if (_at >= text.Length)
            {
                throw Problem("an expression in text does not end");
            }

            if (Next() is not { } token)
            {
                continue;
            }

            depth += token is { Kind: TokenKind.Sign, Value: "{" } ? 1 : token is { Kind: TokenKind.Sign, Value: "}" } ? -1 : 0;
            if (depth < 0)
            {
                tokens.Add(new Token(TokenKind.End, "", _line));
                return tokens;
            }

            tokens.Add(token);
        }
    }

    private bool Starts(string sign) => string.CompareOrdinal(text, _at, sign, 0, sign.Length) == 0;

    private BicepSyntaxException Problem(string problem) => new(path, _line, problem);
}
