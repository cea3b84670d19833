using FedServerless.Cli;

return await FedTool.RunAsync(args, Shell.OfThisProcess());
