// Writes the 0-9-1 method structs, and the tests that hold for each of them, from amqp091.table:
//   dotnet run --project tools/Harrier.CodeGen -- TABLE METHODS [TESTS]
// A test runs the generators over the same table and compares with what is checked in.
using Harrier.CodeGen;

if (args.Length is not (2 or 3))
{
    Console.Error.WriteLine("usage: codegen TABLE METHODS [TESTS]");
    return 2;
}
MethodTable table = MethodTable.Parse(File.ReadAllLines(args[0]));
File.WriteAllText(args[1], MethodGenerator.Generate(table));
if (args.Length == 3) File.WriteAllText(args[2], MethodTestGenerator.Generate(table));
return 0;
