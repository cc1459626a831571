namespace Harrier.Fuzz;

/// <summary>The frames of a conversation; what is none stands at the end as it is.</summary>
internal delegate List<byte[]> FrameSplit(ReadOnlySpan<byte> conversation);
