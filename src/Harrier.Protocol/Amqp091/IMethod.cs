namespace Harrier.Protocol.Amqp091;

/// <summary>A method that can be written into a method frame. Implemented by the generated structs.</summary>
public interface IMethod
{
    /// <summary>Bytes of the encoded method, its id included.</summary>
    int Size { get; }

    /// <summary>Writes the method id and the arguments.</summary>
    void Encode(ref WireWriter writer);
}
