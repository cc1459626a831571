namespace Harrier.TestSupport;

/// <summary>The server did not do what a script expects.</summary>
public sealed class WireScriptException(string message, Exception? inner = null) : Exception(message, inner);
