namespace Harrier.Broker.Filters;

/// <summary>A filter that cannot be understood, or is larger than one may be. The text says where, and what was expected there.</summary>
public sealed class FilterException(string text) : Exception(text);
