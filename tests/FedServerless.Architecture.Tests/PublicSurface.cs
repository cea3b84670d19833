using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Serialization;
using FedServerless.Testing;

namespace FedServerless.Architecture.Tests;

/// <summary>The public surface of an assembly as text, and the file that was reviewed. A test project of a part that not every feed serves compiles it too.</summary>
internal static class PublicSurface
{
    public static void AssertReviewed(Assembly assembly)
    {
        var name = assembly.GetName().Name;
        var file = RepositoryRoot.Combine("tests", "FedServerless.Architecture.Tests", "PublicApi", name + ".txt");
        var rendered = Render(assembly);
        if (Environment.GetEnvironmentVariable("FED_ACCEPT_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, rendered);
        }

        Assert.True(File.Exists(file), $"{file} does not exist; run the test with FED_ACCEPT_API=1 and review it.");
        Assert.True(
            File.ReadAllText(file) == rendered,
            $"The public surface of {name} changed. Run this test with FED_ACCEPT_API=1, review the diff of {file}, and commit it with the change.");
    }

    private static string Render(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            if (type.IsSubclassOf(typeof(JsonSerializerContext)))
            {
                text.Append("sealed class ").Append(type.FullName).Append(" (generated)\n");
                continue;
            }

            text.Append(Kind(type)).Append(' ').Append(type.FullName).Append('\n');
            const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            var members = type.GetMembers(Declared)
                .Where(member => member is not MethodInfo { IsSpecialName: true } || member.Name.StartsWith("op_", StringComparison.Ordinal))
                .Where(member => member.DeclaringType == type && !member.Name.Contains('<') && member is not TypeInfo)
                .Where(member => member is PropertyInfo || !member.IsDefined(typeof(CompilerGeneratedAttribute), false))
                .Select(member => $"  {(IsStatic(member) ? "static " : "")}{member}")
                .Order(StringComparer.Ordinal);
            foreach (var member in members)
            {
                text.Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static bool IsStatic(MemberInfo member) => member switch
    {
        MethodBase method => method.IsStatic,
        FieldInfo field => field.IsStatic,
        PropertyInfo property => property.GetAccessors().Any(accessor => accessor.IsStatic),
        _ => false,
    };
}
