using FedServerless.Gateway.Authentication;
using FedServerless.Gateway.Http;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class OperatorRoleTests
{
    [Fact]
    public void Rows_OfOperators_AreTheReadersForGetAndTheEnrollersForCodes()
    {
        using var bench = new GatewayBench();

        Assert.All(bench.Table.Routes, route => Assert.Equal(Expected(route), route.Roles));
    }

    [Theory]
    [InlineData(OperatorRoles.Reader, "listRuns", "runs", 200)]
    [InlineData(OperatorRoles.Reader, "createEnrolment", "enrolments", 403)]
    [InlineData(OperatorRoles.Enroller, "listRuns", "runs", 403)]
    [InlineData(OperatorRoles.Enroller, "createEnrolment", "enrolments", 400)]
    [InlineData(OperatorRoles.Operator, "listRuns", "runs", 200)]
    [InlineData(OperatorRoles.Operator, "createEnrolment", "enrolments", 400)]
    [InlineData(OperatorRoles.Reader | OperatorRoles.Enroller, "createEnrolment", "enrolments", 400)]
    [InlineData(OperatorRoles.Reader | OperatorRoles.Enroller, "startRun", "runs/a/start", 403)]
    [InlineData(OperatorRoles.None, "listRuns", "runs", 403)]
    public async Task Operator_Role_DecidesWhichRowsAreOpen(OperatorRoles roles, string route, string path, int status)
    {
        using var bench = new GatewayBench(operators: new Somebody(new OperatorCaller("oid", "Ada", roles)));

        var answer = await bench.OperateAsync(route, path, "{}"u8.ToArray());

        Assert.Equal(status, answer.Status);
        if (status == 403)
        {
            Assert.Equal("/problems/role", answer.Problem().Type);
        }
    }

    private static OperatorRoles Expected(Route route) => route switch
    {
        { Policy: not RoutePolicy.Operator } => OperatorRoles.None,
        { Method: "GET" } => OperatorRoles.Operator | OperatorRoles.Reader,
        { Name: "createEnrolment" } => OperatorRoles.Operator | OperatorRoles.Enroller,
        _ => OperatorRoles.Operator,
    };

    private sealed class Somebody(OperatorCaller caller) : IOperatorAuthenticator
    {
        public Task<OperatorCaller?> AuthenticateAsync(Microsoft.AspNetCore.Http.HttpContext context, CancellationToken cancellationToken) =>
            Task.FromResult<OperatorCaller?>(caller);
    }
}
