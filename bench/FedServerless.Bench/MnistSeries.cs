using System.Globalization;
using FedServerless.Compression;
using FedServerless.Wire;

namespace FedServerless.Bench;

/// <summary>How updates and models travel in one series of the compression experiment.</summary>
/// <param name="Name">As typed: parts joined by <c>+</c>, the uplink codec first.</param>
/// <param name="Update">The uplink.</param>
/// <param name="Down">Codec of the model on its way down; <c>float32</c> for the model itself.</param>
/// <param name="ClientMomentum">Momentum that a client accumulates before it picks what to send (Lin et al. 2018, arXiv:1712.01887, momentum correction with factor masking); 0 for none.</param>
/// <param name="ServerMomentum">β of FedAvgM with η = 1 − β, so that a constant step stays what it is; 0 for FedAvg.</param>
internal sealed record MnistSeries(string Name, UpdateSpec Update, string Down, double ClientMomentum, double ServerMomentum)
{
    public const string Form = "CODEC[+feedback][+random][+keep=0.01][+down=int8][+warm=10][+momentum=0.5][+server=0.9]";

    /// <exception cref="FormatException">A part is not understood.</exception>
    public static MnistSeries Parse(string text)
    {
        var parts = text.Split('+');
        if (!UpdateCodecs.All.TryGet(parts[0], out _))
        {
            throw new FormatException($"'{parts[0]}' is no codec; expected one of {string.Join(", ", UpdateCodecs.All.Names)}.");
        }

        var series = new MnistSeries(text, new UpdateSpec { Codec = parts[0] }, UpdateCodecs.Float32, 0, 0);
        foreach (var part in parts[1..])
        {
            series = part.Split('=') switch
            {
                ["feedback"] => series with { Update = series.Update with { ErrorFeedback = true } },
                ["random"] => series with { Update = series.Update with { Rounding = UpdateRoundings.Stochastic } },
                ["keep", var share] => series with { Update = series.Update with { Keep = Number(share) } },
                ["down", var codec] when UpdateCodecs.All.TryGet(codec, out _) => series with { Down = codec },
                ["warm", var rounds] => series with { Update = series.Update with { WarmUpRounds = (int)Number(rounds) } },
                ["momentum", var beta] => series with { ClientMomentum = Number(beta) },
                ["server", var beta] => series with { ServerMomentum = Number(beta) },
                _ => throw new FormatException($"'{part}' of '{text}' is not understood; expected {Form}."),
            };
        }

        return series;
    }

    /// <summary>The uplink of one round, with what a plan adds.</summary>
    public UpdateSpec InRound(int round, long maskSeed)
    {
        var update = SparseWarmUp.InRound(Update, round);
        return UpdateCodecs.Of(update).HasMask ? update with { MaskSeed = maskSeed } : update;
    }

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0
        ? value
        : throw new FormatException($"'{text}' is no number above 0.");
}
