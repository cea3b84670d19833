namespace FedServerless.Aggregation.Robust;

/// <summary>Choosing clients by a number; at equal numbers the lowest client comes first.</summary>
internal static class ClientOrder
{
    /// <summary>The clients with the <paramref name="count"/> lowest numbers, in ascending client order.</summary>
    public static int[] Lowest(ReadOnlySpan<double> numbers, int count)
    {
        var chosen = Ascending(numbers).AsSpan(0, count).ToArray();
        Array.Sort(chosen);
        return chosen;
    }

    /// <summary>All clients by ascending number.</summary>
    public static int[] Ascending(ReadOnlySpan<double> numbers)
    {
        var keys = numbers.ToArray();
        var clients = new int[keys.Length];
        for (var i = 0; i < clients.Length; i++)
        {
            clients[i] = i;
        }

        Array.Sort(clients, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        return clients;
    }

    /// <summary>Weights of the mean of some of <paramref name="clients"/> clients, plain or by samples; 0 for the others.</summary>
    public static double[] MeanOf(ReadOnlySpan<int> chosen, int clients, IReadOnlyList<double>? sampleWeights)
    {
        var weights = new double[clients];
        var total = 0.0;
        foreach (var client in chosen)
        {
            weights[client] = sampleWeights?[client] ?? 1;
            total += weights[client];
        }

        foreach (var client in chosen)
        {
            weights[client] /= total;
        }

        return weights;
    }
}
