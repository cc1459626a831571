// Writes what is generated from the tables beside it, and the tests that hold for each part of it, into the repository:
//   dotnet run --project tools/Harrier.CodeGen -- REPOSITORY
// A test runs the generators over the same tables and compares with what is checked in.
using Harrier.CodeGen;

if (args.Length != 1)
{
    Console.Error.WriteLine("usage: codegen REPOSITORY");
    return 2;
}
string[] Table(string name) => File.ReadAllLines(Path.Combine(args[0], "tools/Harrier.CodeGen", name));
void Write(string path, string text) => File.WriteAllText(Path.Combine(args[0], path), text);

MethodTable methods = MethodTable.Parse(Table("amqp091.table"));
Write("src/Harrier.Protocol/Amqp091/Methods.g.cs", MethodGenerator.Generate(methods));
Write("tests/Harrier.Protocol.Tests/MethodRoundTrips.g.cs", MethodTestGenerator.Generate(methods));

CompositeTable composites = CompositeTable.Parse(Table("amqp10.table"));
Write("src/Harrier.Protocol/Amqp10/Composites.g.cs", CompositeGenerator.Generate(composites));
Write("tests/Harrier.Protocol.Tests/Amqp10/CompositeRoundTrips.g.cs", CompositeTestGenerator.Generate(composites));
return 0;
