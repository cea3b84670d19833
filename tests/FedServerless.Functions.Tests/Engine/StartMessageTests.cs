using System.Text.Json;
using FedServerless.Functions.Engine;

namespace FedServerless.Functions.Tests.Engine;

public sealed class StartMessageTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"input":{"a":1}}""")]
    [InlineData("""{"token":"t"}""")]
    [InlineData("""{"spec":1,"version":"0.0"}""")]
    [InlineData("7")]
    public void Read_MessageOfSomebodyElse_IsRefused(string json) =>
        Assert.Throws<JsonException>(() => StartMessage.Read(JsonElement.Parse(json)));

    [Theory]
    [InlineData("""{"input":null,"token":"t"}""")]
    [InlineData("""{"input":{"a":1},"token":"t"}""")]
    [InlineData("""{"input":{"a":1},"token":"t","waiter":"w","status":"s"}""")]
    public void Read_WhatWriteWrote_IsTheSame(string json) =>
        Assert.Equal(json, StartMessage.Read(JsonElement.Parse(json)).Write().GetRawText());
}
