using System.CommandLine;
using Harrier;

// Signals are the commands' own: as a rule what is not over after 2 seconds would be cut off, and a broker that stops may take longer.
var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null };
return await CommandLine.Create().Parse(args).InvokeAsync(invocation);
