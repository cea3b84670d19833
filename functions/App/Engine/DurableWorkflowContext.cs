using FedServerless.Workflows.Engine;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace FedServerless.Functions.Engine;

/// <summary>
/// One generation of an instance on Durable. The workflow's code runs in slices of its own, so that awaiting anything that is not
/// from here is noticed; every call goes through <see cref="DurableSteps"/>, outside of the slice.
/// </summary>
internal sealed class DurableWorkflowContext : IWorkflowContext, IDisposable
{
    /// <summary>Most calls of one generation, as on the embedded engine.</summary>
    public const int MaxCalls = 20_000;

    private readonly TaskOrchestrationContext _durable;
    private readonly MessageJson _json;
    private readonly ILogger _logger;
    private readonly DurableSteps _steps;
    private readonly InstanceScheduler _scheduler;
    private readonly TaskCompletionSource _ended = new();
    private Task<TurnResult>? _turn;
    private volatile Exception? _violation;
    private int _calls;
    private int _open;

    public DurableWorkflowContext(TaskOrchestrationContext durable, MessageJson json, DurableEngineOptions options)
    {
        (_durable, _json, _logger) = (durable, json, durable.CreateReplaySafeLogger(DurableEngineLog.Category));
        _steps = new DurableSteps(durable, options);
        _scheduler = new InstanceScheduler(() => _violation ??= new ForeignAwaitException());
    }

    public string InstanceId => _durable.InstanceId;

    public DateTimeOffset UtcNow { get; private set; }

    /// <summary>The last status set, or null.</summary>
    public string? Status { get; private set; }

    /// <summary>Actions so far.</summary>
    public int Actions => _steps.Actions;

    /// <summary>Runs the code to the end of its turn.</summary>
    public async Task<TurnResult> RunAsync(WorkflowRegistration code, StartMessage start)
    {
        if (start.Status is { } status)
        {
            ShowStatus(status);
        }

        Slice(() => _turn = code.RunAsync(this, Json.Text(start.Input)));
        await _ended.Task;
        Dispose();
        if (_violation is { } violation)
        {
            throw violation;
        }

        return _turn is { IsCompleted: true } ? await _turn : throw new ForeignAwaitException();
    }

    public Task<TOutput> CallAsync<TInput, TOutput>(Activity<TInput, TOutput> activity, TInput input)
    {
        CheckCaller();
        ArgumentNullException.ThrowIfNull(activity);
        return Call(activity, _json.Write(input, $"input of {activity.Name}"));
    }

    public async Task<TOutput[]> FanOutAsync<TInput, TOutput>(Activity<TInput, TOutput> activity, IReadOnlyList<TInput> inputs)
    {
        CheckCaller();
        ArgumentNullException.ThrowIfNull(activity);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputs.Count, WorkflowLimits.MaxFanOut);

        // All inputs are written before the first call is made: one that cannot travel leaves no call behind.
        var messages = new string[inputs.Count];
        for (var i = 0; i < messages.Length; i++)
        {
            messages[i] = _json.Write(inputs[i], $"input {i} of {activity.Name}");
        }

        // WhenAll waits for all and then throws the first failure in the order of the inputs, whatever the order in time.
        return await Task.WhenAll(Array.ConvertAll(messages, message => Call(activity, message)));
    }

    public Task<TOutput> RunAsync<TInput, TOutput>(Workflow<TInput, TOutput> workflow, string instanceId, TInput input)
    {
        CheckCaller();
        ArgumentNullException.ThrowIfNull(workflow);
        Names.CheckInstanceId(instanceId);
        var request = new ChildRequest(workflow.Name, instanceId, Json.Parse(_json.Write(input, $"input of {workflow.Name}")), InstanceId);
        return Open(() => _steps.ChildAsync(request), output => _json.Read<TOutput>(output, $"output of {workflow.Name}"));
    }

    public Task WaitUntilAsync(DateTimeOffset until)
    {
        CheckCaller();
        if (until <= UtcNow)
        {
            Count();
            return Task.CompletedTask;
        }

        return Open(() => _steps.TimerAsync(until), static _ => true);
    }

    public Task<bool> WaitForEventAsync(string name, DateTimeOffset until)
    {
        CheckCaller();
        Names.CheckStep(name);
        if (until <= UtcNow)
        {
            Count();
            return Task.FromResult(false);
        }

        return Open(() => _steps.WaitAsync(name, until), static woken => woken);
    }

    public void SetStatus(string status)
    {
        CheckCaller();
        ArgumentNullException.ThrowIfNull(status);
        MessageJson.CheckStatus(status);
        ShowStatus(status);
    }

    public void Log(string message)
    {
        CheckCaller();
        DurableEngineLog.WorkflowLog(_logger, InstanceId, message);
    }

    public void Dispose() => _steps.Dispose();

    private void ShowStatus(string status)
    {
        Status = status;
        _durable.SetCustomStatus(status);
    }

    private Task<TOutput> Call<TInput, TOutput>(Activity<TInput, TOutput> activity, string message) => Open(
        () => _steps.ActivityAsync(activity.Name, Json.Parse(message), activity.Retry),
        output => _json.Read<TOutput>(output, $"output of {activity.Name}"));

    private Task<TOutput> Open<TStep, TOutput>(Func<Task<TStep>> step, Func<TStep, TOutput> read)
    {
        Count();
        _open++;
        var completion = new TaskCompletionSource<TOutput>();
        _scheduler.Outside(() => DeliverAsync(step, read, completion));
        return completion.Task;
    }

    /// <summary>Waits for a step as an orchestrator waits, then hands its end to the workflow's code in a slice.</summary>
    private async Task DeliverAsync<TStep, TOutput>(Func<Task<TStep>> step, Func<TStep, TOutput> read, TaskCompletionSource<TOutput> completion)
    {
        Action end;
        try
        {
            var result = read(await step());
            end = () => completion.SetResult(result);
        }
        catch (Exception exception)
        {
            // Whatever a step ends with is the workflow's to see.
            end = () => completion.SetException(exception);
        }

        if (_scheduler.IsRunningHere)
        {
            // It ended at once, while the code that asked is still at it: nobody awaits it yet.
            _open--;
            end();
        }
        else if (!_ended.Task.IsCompleted)
        {
            _open--;
            Slice(end);
        }
    }

    private void Slice(Action code)
    {
        UtcNow = _steps.Now();
        try
        {
            _scheduler.Run(code);
        }
        catch (Exception exception)
        {
            // Whatever escapes a workflow's async void fails that instance, not the worker.
            _violation ??= exception;
        }

        // Code that is not at its end and waits for nothing from here waits for something else: that could not be replayed.
        if (_violation is not null || _turn is not { IsCompleted: false } || _open == 0)
        {
            _ended.TrySetResult();
        }
    }

    private void CheckCaller()
    {
        if (!_scheduler.IsRunningHere || _ended.Task.IsCompleted)
        {
            _violation ??= new ForeignAwaitException();
            throw new ForeignAwaitException();
        }
    }

    private void Count()
    {
        if (++_calls > MaxCalls)
        {
            throw new InvalidOperationException($"The workflow made {MaxCalls} calls in one generation: continue as new.");
        }
    }
}
