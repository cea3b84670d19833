namespace FedServerless.Client.Rounds;

/// <summary>The last pieces of work of a kind: a device that runs for years forgets the older ones.</summary>
internal sealed class WorkMemory
{
    /// <summary>Pieces remembered.</summary>
    public const int Capacity = 256;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public bool Contains(string name) => _names.Contains(name);

    /// <summary>Remembers; false when it was known already.</summary>
    public bool Add(string name)
    {
        if (!_names.Add(name))
        {
            return false;
        }

        _order.Enqueue(name);
        if (_order.Count > Capacity)
        {
            _names.Remove(_order.Dequeue());
        }

        return true;
    }
}
