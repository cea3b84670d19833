using System.Diagnostics;
using FedServerless.Activities.Telemetry;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Orchestrations.Tests;

public sealed class TracedActivityTests
{
    [Fact]
    public async Task RunAsync_Done_IsASpanThatNamesRunRoundAndPart()
    {
        using var scene = new Scene();

        Assert.Equal(7, await new TracedActivity<ReduceInput, int>("Test", new Answers(() => 7)).RunAsync(new ReduceInput("a", 3, 5), CancellationToken.None));

        var span = scene.Span();
        Assert.Equal(("Test", "a", 3, 5), (span.OperationName, span.GetTagItem("fed.run"), span.GetTagItem("fed.round"), span.GetTagItem("fed.part")));
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    [Fact]
    public async Task RunAsync_Failed_TellsTheTypeAndNotTheMessage()
    {
        using var scene = new Scene();
        var failing = new TracedActivity<ReduceInput, int>("Test", new Answers(() => throw new InvalidDataException("weights")));

        await Assert.ThrowsAsync<InvalidDataException>(() => failing.RunAsync(new ReduceInput("a", 1, 0), CancellationToken.None));

        Assert.Equal((ActivityStatusCode.Error, nameof(InvalidDataException)), (scene.Span().Status, scene.Span().StatusDescription));
    }

    private sealed class Answers(Func<int> answer) : IActivity<ReduceInput, int>
    {
        public Task<int> RunAsync(ReduceInput input, CancellationToken cancellationToken) => Task.FromResult(answer());
    }

    /// <summary>Hears the spans below its own.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly Activity _root = new Activity("root").SetIdFormat(ActivityIdFormat.W3C).Start();

        private readonly System.Collections.Concurrent.ConcurrentQueue<Activity> _spans = new();

        private readonly ActivityListener _listener;

        public Scene()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == FedTelemetry.Name,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
                ActivityStopped = _spans.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public Activity Span() => Assert.Single(_spans, span => span.TraceId == _root.TraceId);

        public void Dispose()
        {
            _listener.Dispose();
            _root.Dispose();
        }
    }
}
