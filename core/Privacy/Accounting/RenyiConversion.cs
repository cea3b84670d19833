namespace FedServerless.Privacy;

/// <summary>How a Rényi divergence becomes an ε at a fixed δ. Both are theorems; the improved one is never larger.</summary>
public enum RenyiConversion
{
    /// <summary>
    /// <c>ε = D + ln((α − 1)/α) − (ln δ + ln α)/(α − 1)</c>: Balle, Barthe, Gaboardi, Hsu and Sato 2020, arXiv:1905.09982, theorem
    /// 21. The default.
    /// </summary>
    Improved,

    /// <summary><c>ε = D + ln(1/δ)/(α − 1)</c>: Mironov 2017, arXiv:1702.07476, proposition 3. For comparison with older figures.</summary>
    Classic,
}
