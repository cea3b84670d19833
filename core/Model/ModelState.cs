namespace FedServerless.Model;

/// <summary>A whole model in memory, for edge devices and tests; the server never holds one.</summary>
public sealed class ModelState
{
    /// <summary>Wraps the vectors without copying.</summary>
    /// <param name="layout">Names, shapes and roles.</param>
    /// <param name="values">Flat float32 vector, <see cref="TensorLayout.FloatCount"/> long: parameters, then buffers.</param>
    /// <param name="integers">Int64 vector, <see cref="TensorLayout.IntegerCount"/> long.</param>
    /// <exception cref="ArgumentOutOfRangeException">A vector's length does not fit the layout.</exception>
    public ModelState(TensorLayout layout, float[] values, long[] integers)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(integers);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.LongLength, layout.FloatCount);
        ArgumentOutOfRangeException.ThrowIfNotEqual(integers.LongLength, layout.IntegerCount);
        Layout = layout;
        Values = values;
        Integers = integers;
    }

    /// <summary>Names, shapes and roles.</summary>
    public TensorLayout Layout { get; }

    /// <summary>Flat float32 vector: parameters, then buffers. Not a copy.</summary>
    public float[] Values { get; }

    /// <summary>Int64 vector. Not a copy.</summary>
    public long[] Integers { get; }

    /// <summary>The parameters in <see cref="Values"/>.</summary>
    public Span<float> Parameters => Values.AsSpan(0, (int)Layout.ParameterCount);

    /// <summary>The buffers in <see cref="Values"/>.</summary>
    public Span<float> Buffers => Values.AsSpan((int)Layout.ParameterCount);

    /// <summary>A deep copy.</summary>
    public ModelState Clone() => new(Layout, (float[])Values.Clone(), (long[])Integers.Clone());
}
