namespace Harrier.Protocol.Amqp10;

/// <summary>A described list of fields (1.0 part 1, section 1.4). Implemented by the generated structs.</summary>
public interface IComposite
{
    /// <summary>Bytes that <see cref="Write"/> takes at most.</summary>
    int SizeMax { get; }

    /// <summary>Writes the descriptor and the fields; those at the end that are as they would be without are left out.</summary>
    void Write(scoped ref ValueWriter writer);
}
