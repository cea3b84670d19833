using System.Collections.Frozen;
using System.Text.Json;

namespace FedServerless.Wire;

/// <summary>
/// The default of every field of what operators write, as JSON. Fields without a default have a legal placeholder, because a
/// document that leaves them out is refused for that alone.
/// </summary>
internal static class SpecDefaults
{
    private static readonly RunSpec Run = new() { Model = "placeholder", Rounds = 1 };

    private static readonly FrozenDictionary<Type, JsonElement> ByType = new object[]
    {
        new CreateRunRequest("placeholder", Run),
        Run,
        new ArchitectureSpec { Name = Model.Architectures.Softmax, Inputs = 1, Outputs = 2 },
        new ImageSpec { Height = 2, Width = 2 },
        new ConvolutionSpec { Channels = 1 },
        new SelectionSpec(),
        new RoundSpec(),
        new TrainingSpec(),
        new AggregationSpec(),
        new OptimizerSpec(),
        new UpdateSpec(),
        new DownloadSpec(),
        new EvaluationSpec(),
        new PrivacySpec { Clients = 1 },
        new AdaptiveClipSpec(),
        new SetBudgetRequest { Epsilon = 1, Clients = 1 },
        new PlannedRounds { SamplingRate = 1, NoiseMultiplier = 1 },
        new AdaptationSpec(),
    }.ToFrozenDictionary(value => value.GetType(), value => JsonSerializer.SerializeToElement(value, WireJson.Default.GetTypeInfo(value.GetType())!));

    /// <summary>The defaults of a type; a field whose default is null is left out.</summary>
    public static JsonElement Of(Type type) => ByType[type];
}
