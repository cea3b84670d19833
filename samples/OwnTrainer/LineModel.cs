using FedServerless.Model;

/// <summary>Makes version 0 of the line's model.</summary>
public static class LineModel
{
    /// <summary>Writes it as a safetensors file.</summary>
    public static void Write(string path)
    {
        #region own-model
        var layout = TensorLayout.Create(
        [
            new TensorSpec("a", [1], TensorRole.Parameter),
            new TensorSpec("b", [1], TensorRole.Parameter),
        ]);
        using var file = File.Create(path);
        ModelStateFile.Write(new ModelState(layout, values: [0f, 0f], integers: []), file);
        #endregion
    }
}
