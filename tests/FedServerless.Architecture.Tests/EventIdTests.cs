using System.Reflection;
using Microsoft.Extensions.Logging;

namespace FedServerless.Architecture.Tests;

/// <summary>Logs are a catalogue: an id means one thing in the whole product.</summary>
public sealed class EventIdTests
{
    [Fact]
    public void LoggerMessages_EveryIdIsUsedOnce()
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var messages = Product.AssemblyNames
            .SelectMany(row => Product.Load(row.Data).GetTypes())
            .SelectMany(type => type.GetMethods(All))
            .Select(method => (method, message: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(entry => entry.message is not null)
            .ToList();

        Assert.NotEmpty(messages);
        Assert.All(messages, entry => Assert.True(entry.message!.EventId > 0, $"{entry.method.DeclaringType}.{entry.method.Name} has no id."));
        var repeated = messages.GroupBy(entry => entry.message!.EventId).Where(group => group.Count() > 1);
        Assert.Empty(repeated.Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => entry.method.Name))}"));
    }
}
