using Harrier.CodeGen;

namespace Harrier.Protocol.Tests;

/// <summary>What is generated and checked in is what the generator makes of the table today.</summary>
public sealed class GeneratedCodeTests
{
    [Fact]
    public void Methods_are_current() => AssertCurrent(MethodGenerator.Generate(Table()), "src/Harrier.Protocol/Amqp091/Methods.g.cs");

    [Fact]
    public void Round_trip_tests_are_current() =>
        AssertCurrent(MethodTestGenerator.Generate(Table()), "tests/Harrier.Protocol.Tests/MethodRoundTrips.g.cs");

    [Fact]
    public void Composites_are_current() => AssertCurrent(CompositeGenerator.Generate(Composites()), "src/Harrier.Protocol/Amqp10/Composites.g.cs");

    [Fact]
    public void Round_trip_tests_of_composites_are_current() =>
        AssertCurrent(CompositeTestGenerator.Generate(Composites()), "tests/Harrier.Protocol.Tests/Amqp10/CompositeRoundTrips.g.cs");

    private static MethodTable Table() => MethodTable.Parse(File.ReadAllLines(InRepository("tools/Harrier.CodeGen/amqp091.table")));

    private static CompositeTable Composites() => CompositeTable.Parse(File.ReadAllLines(InRepository("tools/Harrier.CodeGen/amqp10.table")));

    private static void AssertCurrent(string generated, string path) =>
        (generated == File.ReadAllText(InRepository(path))).ShouldBeTrue($"{path} is not what tools/Harrier.CodeGen writes; run it again");

    private static string InRepository(string path)
    {
        const string Marker = "Directory.Packages.props";
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, Marker))) directory = Path.GetDirectoryName(directory);
        return Path.Combine(directory.ShouldNotBeNull("the tests run inside the repository"), path);
    }
}
