using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>Arguments of some method, as a test holds them.</summary>
internal interface IMethodArguments
{
    AmqpMethod Id { get; }

    /// <summary>The method as the code under test writes it.</summary>
    byte[] Encode();

    /// <summary>The method as the table says it is written.</summary>
    byte[] Expected();

    /// <summary>Decodes and compares every argument.</summary>
    void AssertReadFrom(ReadOnlySpan<byte> arguments);
}

/// <summary>What holds for every method.</summary>
internal static class MethodCheck
{
    /// <summary>Octets of the class and method id.</summary>
    public const int IdSize = 4;

    public static void RoundTrip<T>(Gen<T> any) where T : IMethodArguments => Property.Holds(any, arguments =>
    {
        byte[] encoded = arguments.Encode();
        encoded.ShouldBe(arguments.Expected());
        arguments.AssertReadFrom(encoded.AsSpan(IdSize));
    });

    /// <summary>Encodes into a buffer of exactly the size that the method says it takes.</summary>
    public static byte[] Encode<TMethod>(TMethod method) where TMethod : IMethod, allows ref struct
    {
        byte[] bytes = new byte[method.Size];
        var writer = new WireWriter(bytes);
        method.Encode(ref writer);
        writer.Position.ShouldBe(bytes.Length);
        return bytes;
    }
}

/// <summary>Runs a check on many generated values; a failure shows the value and the seed that gives it again.</summary>
internal static class Property
{
    public static void Holds<T>(Gen<T> any, Action<T> check, int count = 100) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(count), Prop.ForAll(Arb.From(any), check));
}
