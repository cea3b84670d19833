using System.Text.Json;
using System.Text.Json.Serialization;

namespace FedServerless.Wire;

/// <summary>Writes an enum as its name in camelCase and reads nothing else: a number is refused. Generated contexts of other assemblies need it public.</summary>
/// <typeparam name="T">The enum.</typeparam>
public sealed class CamelCaseNames<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
