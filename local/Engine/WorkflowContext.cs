using FedServerless.Workflows.Engine;

namespace FedServerless.Local.Engine;

/// <summary>The context of one generation of an instance.</summary>
internal sealed class WorkflowContext(Instance instance, int generation, MessageJson json) : IWorkflowContext
{
    private const string Woken = "true";

    public string InstanceId => instance.Id;

    public DateTimeOffset UtcNow => instance.Now;

    public Task<TOutput> CallAsync<TInput, TOutput>(Activity<TInput, TOutput> activity, TInput input)
    {
        CheckCaller();
        ArgumentNullException.ThrowIfNull(activity);
        return Call(activity, json.Write(input, $"input of {activity.Name}"));
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
            messages[i] = json.Write(inputs[i], $"input {i} of {activity.Name}");
        }

        // WhenAll waits for all and then throws the first failure in the order of the inputs, whatever the order in time.
        return await Task.WhenAll(Array.ConvertAll(messages, message => Call(activity, message)));
    }

    public Task<TOutput> RunAsync<TInput, TOutput>(Workflow<TInput, TOutput> workflow, string instanceId, TInput input)
    {
        CheckCaller();
        ArgumentNullException.ThrowIfNull(workflow);
        Names.CheckInstanceId(instanceId);
        var request = new CallRequest.ToWorkflow(workflow.Name, instanceId, json.Write(input, $"input of {workflow.Name}"));
        return instance.Open(generation, request, output => json.Read<TOutput>(output, $"output of {workflow.Name}"));
    }

    public Task WaitUntilAsync(DateTimeOffset until)
    {
        CheckCaller();
        if (until <= UtcNow)
        {
            instance.NextSequence();
            return Task.CompletedTask;
        }

        return instance.Open(generation, new CallRequest.ForTime(until), static _ => true);
    }

    public Task<bool> WaitForEventAsync(string name, DateTimeOffset until)
    {
        CheckCaller();
        Names.CheckStep(name);
        if (until <= UtcNow)
        {
            instance.NextSequence();
            return Task.FromResult(false);
        }

        return instance.Open(generation, new CallRequest.ForEvent(name, until), static output => output == Woken);
    }

    public void SetStatus(string status)
    {
        CheckCaller();
        ArgumentNullException.ThrowIfNull(status);
        MessageJson.CheckStatus(status);
        instance.Status = status;
    }

    public void Log(string message)
    {
        CheckCaller();
        if (!instance.IsReplaying)
        {
            instance.WriteLog(message);
        }
    }

    private Task<TOutput> Call<TInput, TOutput>(Activity<TInput, TOutput> activity, string message) => instance.Open(
        generation,
        new CallRequest.ToActivity(activity.Name, message, activity.Retry),
        output => json.Read<TOutput>(output, $"output of {activity.Name}"));

    private void CheckCaller()
    {
        if (!instance.CheckCaller(generation))
        {
            throw new ForeignAwaitException();
        }
    }
}
