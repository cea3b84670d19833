namespace FedServerless.Privacy;

/// <summary>
/// How one client's update gets onto the grid: each coordinate x becomes <c>round(x·Factor)</c>, ties to even, and where that is still too long as a
/// whole, <c>trunc(|…|·Multiply/Divide)</c> with its sign. One for the whole update, whatever its shards.
/// </summary>
/// <param name="Factor">Clips and divides by the grid's step.</param>
/// <param name="Multiply">1, or the clipping norm in steps.</param>
/// <param name="Divide">1, or the rounded update's norm in steps, rounded up.</param>
public readonly record struct GridScale(double Factor, long Multiply, long Divide);
