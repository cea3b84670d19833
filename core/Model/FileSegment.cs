namespace FedServerless.Model;

/// <summary>Consecutive values of a model's vector that are also consecutive in its file.</summary>
/// <param name="FileOffset">Where they begin in the file, in bytes.</param>
/// <param name="Start">Position of the first in the vector.</param>
/// <param name="Count">How many, 1 or more.</param>
public readonly record struct FileSegment(long FileOffset, long Start, long Count);
