using FedServerless.Compression;
using FedServerless.Model;
using FedServerless.Wire;
using FedServerless.Wire.Downloads;

namespace FedServerless.Client.Tests.Support;

/// <summary>
/// A round whose model is the last of three reconstructed versions, and a server that gives it out as docs/concepts/downlink.md has it:
/// nothing to a device that holds it, deltas from a version that is held, the whole in binary16, the whole as it is. Every value is a
/// small multiple of a half, so that all of these make the same model.
/// </summary>
internal sealed class Downlink
{
    public const string Whole16 = "/models/whole16";

    private readonly Device _device;

    public Downlink(Device device)
    {
        _device = device;
        Versions = [.. Enumerable.Range(0, 3).Select(version => Earlier(device.Start, 2 - version))];
        Digests = [.. Versions.Select(model => Digest.Of(ModelStateFile.ToBytes(model)))];
        Deltas = [Encode(Versions[0], Versions[1]), Encode(Versions[1], Versions[2])];
        Whole = Encode(null, Versions[2]);
        device.Server.OnCheckIn = request =>
        {
            Asked.Add(request);
            return Answer(request);
        };
    }

    public ModelState[] Versions { get; }

    public Digest[] Digests { get; }

    /// <summary>The file that leads from each version to the next.</summary>
    public byte[][] Deltas { get; }

    public byte[] Whole { get; set; }

    /// <summary>Every check-in.</summary>
    public List<CheckInRequest> Asked { get; } = [];

    /// <summary>There is no work.</summary>
    public bool IsIdle { get; set; }

    /// <summary>A last word on every way.</summary>
    public Func<IReadOnlyList<ModelStep>, IReadOnlyList<ModelStep>> Tamper { get; set; } = via => via;

    public Func<CheckInRequest, CheckInResponse> Answer => request => IsIdle ? new CheckInResponse { RetryAfterSeconds = 30 } : new CheckInResponse { Train = Lease(request) };

    /// <summary>Puts a version into the device's cache, as an earlier round would have.</summary>
    public string Hold(int version) => Hold(_device, ModelStateFile.ToBytes(Versions[version]));

    public static string Hold(Device device, byte[] model)
    {
        var folder = Path.Combine(device.Folder, "models");
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, Digest.Of(model).ToString());
        File.WriteAllBytes(path, model);
        return path;
    }

    public TrainLease Lease(CheckInRequest request)
    {
        var (holds, reads) = (request.Holds ?? [], request.Reads ?? []);
        var held = Array.FindLastIndex(Digests, holds.Contains);
        IReadOnlyList<ModelStep>? via =
            held == 2 ? []
            : held >= 0 && reads.Contains(DownloadEncodings.Delta) ? [.. Enumerable.Range(held, 2 - held).Select(DeltaStep)]
            : reads.Contains(DownloadEncodings.Float16) ? [Step(Whole16, Whole, null, Digests[2])]
            : null;
        return _device.Lease with
        {
            Base = _device.Lease.Base with { Url = via is null ? _device.Lease.Base.Url : "" },
            Via = via is null ? null : Tamper(via),
        };
    }

    public ModelStep DeltaStep(int version) => Step($"/models/delta{version}", Deltas[version], Digests[version], Digests[version + 1]);

    /// <summary>One file, on the server under that path.</summary>
    public ModelStep Step(string path, byte[] file, Digest? start, Digest result)
    {
        _device.Server.Models[path] = file;
        return new ModelStep($"{path}?sig={Asked.Count}", file.Length, Digest.Of(file), start, result);
    }

    public static byte[] Encode(ModelState? start, ModelState model, string codec = UpdateCodecs.Float16)
    {
        var writer = new EncodedModelWriter(
            model.Layout, UpdateCodecs.All.Get(codec), start is null ? null : Digest.Of(ModelStateFile.ToBytes(start)), half: false);
        using var file = new MemoryStream();
        var made = new float[writer.Shape.BlockCoordinates];
        file.Write(writer.Prelude.Span);
        for (var block = 0; block < writer.Shape.BlockCount; block++)
        {
            var (first, count) = writer.Shape.ValuesOf(block);
            if (block >= writer.Shape.FloatBlocks)
            {
                file.Write(writer.Write(block, model.Integers.AsSpan((int)first, count)).Span);
                continue;
            }

            var before = start is null || block >= writer.Shape.ParameterBlocks ? [] : start.Values.AsSpan((int)first, count);
            file.Write(writer.Write(block, model.Values.AsSpan((int)first, count), before, made.AsSpan(0, count)).Span);
        }

        file.Write(writer.Trailer.Span);
        return file.ToArray();
    }

    private static ModelState Earlier(ModelState model, int versions)
    {
        var earlier = model.Clone();
        for (var i = 0; i < earlier.Parameters.Length; i++)
        {
            earlier.Parameters[i] -= versions * (i % 5) * 0.5f;
        }

        return earlier;
    }
}
