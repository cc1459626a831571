namespace Harrier.Protocol.Amqp10;

/// <summary>A described list of fields (1.0 part 1, section 1.4). Implemented by the generated structs.</summary>
public interface IComposite
{
    /// <summary>Bytes that writing takes at most.</summary>
    int SizeMax { get; }

    /// <summary>Writes the descriptor and the fields; those at the end that are as they would be without are left out.</summary>
    void Write(scoped ref ValueWriter writer);

    /// <summary>Writes the same to the front of room for at least <see cref="SizeMax"/> bytes and answers how many it took.</summary>
    /// <remarks>The way for composites of bytes on the stack, which may not go near a writer that outlives them.</remarks>
    int Write(Span<byte> room);
}
