using Harrier;

return await CommandLine.Create().Parse(args).InvokeAsync();
