using System.Text;
using System.Text.Json;
using FedServerless.Functions.Engine;
using FedServerless.Workflows.Engine;

namespace FedServerless.Functions.Tests.Engine;

public sealed class EnvelopeTests
{
    private static readonly string LongestId = new('i', WorkflowLimits.MaxInstanceIdLength);
    private static readonly JsonElement Longest = Json.Parse($"\"{new string('x', WorkflowLimits.MaxMessageBytes - 2)}\"");

    [Fact]
    public void Write_LongestOfEverything_StaysWithinTheEnvelope()
    {
        var name = new string('n', Names.MaxStepLength);
        Assert.InRange(Bytes(new StartMessage(Longest, Guid.NewGuid().ToString("N"), LongestId).Write()), 4096, 4096 + Json.MaxEnvelopeBytes);
        Assert.InRange(Bytes(new ChildRequest(name, LongestId, Longest, LongestId).Write()), 4096, 4096 + Json.MaxEnvelopeBytes);
        Assert.InRange(Bytes(new StepReply(Longest).Write()), 4096, 4096 + Json.MaxEnvelopeBytes);
        var again = new StartMessage(Longest, Guid.NewGuid().ToString("N"), LongestId, new string('s', WorkflowLimits.MaxMessageBytes - 2));
        Assert.InRange(Bytes(again.Write()), 8192, 8192 + Json.MaxEnvelopeBytes);
    }

    [Fact]
    public void Write_LongerThanThat_DoesNotTravel() =>
        Assert.Throws<WorkflowMessageException>(() => new StartMessage(Longest, new string('t', Json.MaxEnvelopeBytes)).Write());

    [Theory]
    [InlineData("x")]
    [InlineData("\"")]
    [InlineData("漢")]
    [InlineData("😀")]
    [InlineData("\u0001")]
    public void FromException_MessageOfAnyCharacters_IsAMessageLikeAnyOther(string character)
    {
        var message = string.Concat(Enumerable.Repeat(character, 40_000));

        var fault = StepFault.From(new IOException(message));

        Assert.InRange(Bytes(new StepReply(Failure: fault).Write()), 1, WorkflowLimits.MaxMessageBytes);
        Assert.InRange(fault.Message.Length, 300, StepFailure.MaxMessageLength);
        Assert.StartsWith(fault.Message, message, StringComparison.Ordinal);
        Assert.False(char.IsHighSurrogate(fault.Message[^1]));
    }

    [Fact]
    public void FromException_BadMessage_IsFinal()
    {
        Assert.True(StepFault.From(new WorkflowMessageException("too long")).IsFinal);
        Assert.False(StepFault.From(new IOException("no disk")).IsFinal);
    }

    [Fact]
    public void TokenOf_WhatIsNoneOfOurs_IsNull()
    {
        var start = new StartMessage(Json.Null, "token");
        Assert.Equal("token", StartMessage.TokenOf(start.Write().GetRawText()));
        Assert.Null(StartMessage.TokenOf(null));
        Assert.Null(StartMessage.TokenOf("https://account.blob.core.windows.net/large-messages/1"));
        Assert.Null(StartMessage.TokenOf("{}"));
    }

    private static int Bytes(JsonElement message) => Encoding.UTF8.GetByteCount(message.GetRawText());
}
